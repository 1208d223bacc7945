import CKernels

/// The C functions of one kind of float convolution.
struct ConvolutionFunctions: Sendable {
    typealias Form = UnsafePointer<sdx_conv_params>

    let packedBytes: @Sendable (Form) -> Int
    let workspaceBytes: @Sendable (_ form: Form, _ workers: Int32) -> Int
    let pack: @Sendable (_ form: Form, _ weights: UnsafePointer<Float>, _ packed: UnsafeMutablePointer<Float>) -> Void
    /// Whether `pack` takes weights at any address.
    var packsUnaligned = false
    /// The residual may be y; transposed convolutions have none.
    let run:
        @Sendable (
            _ pool: OpaquePointer?, _ form: Form, _ x: UnsafePointer<Float>, _ packed: UnsafePointer<Float>,
            _ bias: UnsafePointer<Float>?, _ residual: UnsafePointer<Float>?, _ y: UnsafeMutablePointer<Float>,
            _ workspace: UnsafeMutableRawPointer?
        ) -> Void

    /// Those of an algorithm.
    /// - Parameter sides: which operands have their channels in blocks; a plain algorithm reads none.
    static func by(_ algorithm: sdx_conv_algorithm, _ sides: sdx_conv_layout) -> ConvolutionFunctions {
        switch algorithm {
        case SDX_CONV_BY_PLAIN: plain
        case SDX_CONV_BY_BLOCKS: blocked(sides)
        case SDX_CONV_BY_WINOGRAD_ROWS: winogradRows
        default: winograd(sdx_winograd_form(rawValue: algorithm.rawValue))
        }
    }

    static let plain = ConvolutionFunctions(
        packedBytes: { sdx_conv_f32_packed_bytes($0) }, workspaceBytes: { sdx_conv_f32_workspace_bytes($0, $1) },
        pack: { sdx_conv_f32_pack($0, $1, $2) }, run: { sdx_conv_f32_run($0, $1, $2, $3, $4, $5, $6, $7) })

    static let transposed = ConvolutionFunctions(
        packedBytes: { sdx_conv_transpose_f32_packed_bytes($0) },
        workspaceBytes: { sdx_conv_transpose_f32_workspace_bytes($0, $1) },
        pack: { sdx_conv_transpose_f32_pack($0, $1, $2) },
        run: { pool, form, x, packed, bias, _, y, workspace in
            sdx_conv_transpose_f32_run(pool, form, x, packed, bias, y, workspace)
        })

    /// With the input's channels in blocks, and the output's too unless they are few.
    static let transposedBlocked = ConvolutionFunctions(
        packedBytes: { sdx_conv_transpose_c8_f32_packed_bytes($0) },
        workspaceBytes: { sdx_conv_transpose_c8_f32_workspace_bytes($0, $1) },
        pack: { sdx_conv_transpose_c8_f32_pack($0, $1, $2) },
        run: { pool, form, x, packed, bias, _, y, workspace in
            sdx_conv_transpose_c8_f32_run(pool, form, x, packed, bias, y, workspace)
        })

    /// With channels in blocks on one side or both.
    static func blocked(_ sides: sdx_conv_layout) -> ConvolutionFunctions {
        ConvolutionFunctions(
            packedBytes: { sdx_conv_c8_f32_packed_bytes($0, sides) },
            workspaceBytes: { sdx_conv_c8_f32_workspace_bytes($0, sides, $1) },
            pack: { sdx_conv_c8_f32_pack($0, sides, $1, $2) }, packsUnaligned: true,
            run: { sdx_conv_c8_f32_run($0, $1, sides, $2, $3, $4, $5, $6, $7) })
    }

    /// With fewer multiplications along rows, for plain x and y with its channels in blocks.
    static let winogradRows = ConvolutionFunctions(
        packedBytes: { sdx_winograd_rows_f32_packed_bytes($0) },
        workspaceBytes: { sdx_winograd_rows_f32_workspace_bytes($0, $1) },
        pack: { sdx_winograd_rows_f32_pack($0, $1, $2) }, packsUnaligned: true,
        run: { sdx_winograd_rows_f32_run($0, $1, $2, $3, $4, $5, $6, $7) })

    /// With fewer multiplications, for channels in blocks on both sides.
    static func winograd(_ kind: sdx_winograd_form) -> ConvolutionFunctions {
        ConvolutionFunctions(
            packedBytes: { sdx_winograd_c8_f32_packed_bytes($0, kind) },
            workspaceBytes: { sdx_winograd_c8_f32_workspace_bytes($0, kind, $1) },
            pack: { sdx_winograd_c8_f32_pack($0, kind, $1, $2) }, packsUnaligned: true,
            run: { sdx_winograd_c8_f32_run($0, $1, kind, $2, $3, $4, $5, $6, $7) })
    }
}
