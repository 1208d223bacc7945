import CKernels
import SardonyxGraph

/// A float convolution by the C kernels: the weights (input 1) are packed at preparation when they are constant, and at each
/// run into the workspace otherwise.
struct PackedConvolution {
    let form: sdx_conv_params
    /// Names the layout of the packed weights.
    let layout: String
    var isTransposed = false

    func kernel(_ context: PreparationContext) throws -> Kernel {
        guard withUnsafePointer(to: form, { sdx_conv_params_valid($0) }) != 0 else {
            throw SardonyxError(.memory, "the convolution's sizes do not fit in 63 bits")
        }
        let (form, isTransposed) = (form, isTransposed)
        let packedBytes = withUnsafePointer(to: form) {
            isTransposed ? sdx_conv_transpose_f32_packed_bytes($0) : sdx_conv_f32_packed_bytes($0)
        }
        let workspaceBytes = withUnsafePointer(to: form) {
            isTransposed
                ? sdx_conv_transpose_f32_workspace_bytes($0, Int32(context.workers))
                : sdx_conv_f32_workspace_bytes($0, Int32(context.workers))
        }
        guard max(packedBytes, workspaceBytes) < TensorSpec.byteLimit else {
            throw SardonyxError(.memory, "the convolution's scratch memory is larger than any memory")
        }
        var workspace = Workspace.Layout()
        let scratch = workspace.reserve(Int(workspaceBytes))
        var packed: TensorStorage?
        var packedOffset = 0
        if let weights = try context.constant(1)?.aligned() {
            packed = try context.packedWeights.pack(
                context.inputValues[1], layout: layout, byteCount: Int(packedBytes)
            ) { Self.pack(form, isTransposed, weights.storage.base.assumingMemoryBound(to: Float.self), $0) }
        } else {
            packedOffset = workspace.reserve(Int(packedBytes))
        }
        let (storage, offset) = (packed, packedOffset)
        let biasSlot = context.inputSlot(2)
        let residualSlot = isTransposed ? nil : context.inputSlot(3)
        var kernel = Kernel { frame in
            let x = frame.input(0, as: Float.self)
            let y = frame.output(0, as: Float.self)
            let bias = frame.input(slot: biasSlot, as: Float.self)
            let weights = storage?.base ?? UnsafeMutableRawPointer(frame.scratch(offset, as: UInt8.self))
            if storage == nil { Self.pack(form, isTransposed, frame.input(1), weights) }
            let packed = weights.assumingMemoryBound(to: Float.self)
            let space = frame.workspace.map { $0 + scratch }
            withUnsafePointer(to: form) { form in
                if isTransposed {
                    sdx_conv_transpose_f32_run(frame.pool, form, x, packed, bias, y, space)
                } else {
                    sdx_conv_f32_run(
                        frame.pool, form, x, packed, bias, frame.input(slot: residualSlot), y, space)
                }
            }
        }
        kernel.workspaceByteCount = workspace.byteCount
        if let packed {
            kernel.absorbedInputs = [1]
            kernel.packedByteCount = packed.byteCount
        }
        if residualSlot != nil { kernel.inPlace = [0: [3]] }
        return kernel
    }

    private static func pack(
        _ form: sdx_conv_params, _ isTransposed: Bool, _ from: UnsafePointer<Float>, _ to: UnsafeMutableRawPointer
    ) {
        let packed = to.assumingMemoryBound(to: Float.self)
        withUnsafePointer(to: form) { form in
            if isTransposed {
                sdx_conv_transpose_f32_pack(form, from, packed)
            } else {
                sdx_conv_f32_pack(form, from, packed)
            }
        }
    }
}
