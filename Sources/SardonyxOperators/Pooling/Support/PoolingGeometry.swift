import CKernels
import SardonyxGraph

/// The extents of a pooling: planes (batch × channels) and the window that slides over each.
struct PoolingGeometry: Sendable {
    let planes: Int
    let window: Window

    init(_ context: PreparationContext) throws {
        let input = try context.input(0).shape
        let attributes = try WindowAttributes(context.node, kernel: context.node.ints("kernel_shape") ?? [])
        planes = input[0] * input[1]
        window = attributes.window(
            input: Array(input.dropFirst(2)), output: Array(try context.output(0).shape.dropFirst(2)))
    }

    var inputPlane: Int { window.input.elementCount }
    var outputPlane: Int { window.output.elementCount }

    /// Whether the C kernels take it.
    var hasKernelForm: Bool { window.rank <= 3 }

    var kernelForm: sdx_pool_window {
        sdx_pool_window(
            in: Window.three(window.input, 1), out: Window.three(window.output, 1),
            kernel: Window.three(window.kernel, 1), stride: Window.three(window.strides, 1),
            dilation: Window.three(window.dilations, 1), pad_begin: Window.three(window.padBegin, 0),
            pad_end: Window.three(window.padEnd, 0))
    }

    /// The shape that pooling gives, or nil when it is not known.
    static func output(_ context: InferenceContext) throws -> SymbolicShape? {
        guard let kernel = context.node.ints("kernel_shape"), !kernel.isEmpty else {
            throw SardonyxError(.invalidModel, "kernel_shape must list the window's extents")
        }
        let attributes = try WindowAttributes(context.node, kernel: kernel)
        guard let input = context.shape(0) else { return nil }
        guard input.count == kernel.count + 2 else {
            throw SardonyxError(
                .invalidModel, "the input \(input.text) must have batch, channels and \(kernel.count) spatial axes")
        }
        var shape = Array(input[..<2])
        for axis in kernel.indices { shape.append(try attributes.output(axis, of: input[axis + 2])) }
        return shape
    }
}

/// Pooling over all spatial axes: the output has extent 1 in each.
enum GlobalPooling {
    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let input = context.shape(0) else { return context.set(0, type, nil) }
        guard input.count >= 2 else {
            throw SardonyxError(.invalidModel, "the input \(input.text) must have a batch and a channel axis")
        }
        context.set(0, type, input[..<2] + SymbolicShape(repeating: .fixed(1), count: input.count - 2))
    }

    /// Channels in blocks give one number a channel, in the order of the channels.
    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        guard try context.input(0).canBlockChannels else { return [] }
        return [LayoutOffer(inputs: [.channelBlocks], outputs: [.plain])]
    }

    /// A kernel that reduces each plane: `float` and `blocked` by C functions, `other` in Swift.
    static func prepare<V: RealVisitor>(
        _ context: PreparationContext,
        float:
            @escaping @Sendable (OpaquePointer?, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int64, Int64) ->
            Void,
        blocked:
            (
                @Sendable (OpaquePointer?, Int64, Int64, Int64, UnsafePointer<Float>, UnsafeMutablePointer<Float>) ->
                    Void
            )? =
            nil,
        other: (_ planes: Int, _ spatial: Int) -> V
    ) throws -> Kernel where V.Result == Kernel {
        let spec = try context.input(0)
        let planes = spec.shape[0] * spec.shape[1]
        let spatial = spec.shape.dropFirst(2).reduce(1, *)
        if spec.dataType.isHalfWidth {
            return try context.throughFloat { try prepare($0, float: float, blocked: blocked, other: other) }
        }
        guard spec.dataType == .float else { return try spec.dataType.visitReal(other(planes, spatial)) }
        if spec.layout == .channelBlocks {
            guard let blocked else { throw SardonyxError(.unsupported, "there is no kernel for channels in blocks") }
            let (batch, channels) = (Int64(spec.shape[0]), Int64(spec.shape[1]))
            return Kernel { frame in
                blocked(frame.pool, batch, channels, Int64(spatial), frame.input(0), frame.output(0))
            }
        }
        return Kernel { frame in float(frame.pool, frame.input(0), frame.output(0), Int64(planes), Int64(spatial)) }
    }
}
