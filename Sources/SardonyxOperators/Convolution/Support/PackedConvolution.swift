import CKernels
import SardonyxGraph

/// A float convolution by the C kernels: the weights (input 1) are packed at preparation when they are constant, and at each
/// run into the workspace otherwise.
struct PackedConvolution {
    let form: sdx_conv_params
    let functions: ConvolutionFunctions
    /// Names the layout of the packed weights.
    let layout: String

    func kernel(_ context: PreparationContext) throws -> Kernel {
        guard withUnsafePointer(to: form, { sdx_conv_params_valid($0) }) != 0 else {
            throw SardonyxError(.memory, "the convolution's sizes do not fit in 63 bits")
        }
        let (form, functions) = (form, functions)
        let packedBytes = withUnsafePointer(to: form) { functions.packedBytes($0) }
        let scratchBytes = withUnsafePointer(to: form) { functions.workspaceBytes($0, Int32(context.workers)) }
        // Sizes that do not fit are SIZE_MAX, which reads as -1 here.
        guard (0..<TensorSpec.byteLimit).contains(packedBytes), (0..<TensorSpec.byteLimit).contains(scratchBytes) else {
            throw SardonyxError(.memory, "the convolution's scratch memory is larger than any memory")
        }
        var workspace = Workspace.Layout()
        let scratch = workspace.reserve(scratchBytes)
        var packed: TensorStorage?
        var packedOffset = 0
        if let weights = context.constant(1) {
            packed = try context.packedWeights.pack(
                context.inputValues[1], weights, layout: layout, byteCount: packedBytes,
                takesUnaligned: functions.packsUnaligned
            ) { Self.pack(form, functions, $0.assumingMemoryBound(to: Float.self), $1) }
        } else {
            packedOffset = workspace.reserve(packedBytes)
        }
        let (storage, offset) = (packed, packedOffset)
        let (biasSlot, residualSlot) = (context.inputSlot(2), context.inputSlot(3))
        var kernel = Kernel { frame in
            let weights = storage?.base ?? UnsafeMutableRawPointer(frame.scratch(offset, as: UInt8.self))
            if storage == nil { Self.pack(form, functions, frame.input(1), weights) }
            withUnsafePointer(to: form) {
                functions.run(
                    frame.pool, $0, frame.input(0), weights.assumingMemoryBound(to: Float.self),
                    frame.input(slot: biasSlot), frame.input(slot: residualSlot), frame.output(0),
                    frame.workspace.map { $0 + scratch })
            }
        }
        kernel.workspaceByteCount = workspace.byteCount
        if let packed {
            kernel.absorbedInputs = [1]
            kernel.packedWeights = [packed]
        }
        if residualSlot != nil { kernel.inPlace = [0: [3]] }
        return kernel
    }

    private static func pack(
        _ form: sdx_conv_params, _ functions: ConvolutionFunctions, _ from: UnsafePointer<Float>,
        _ to: UnsafeMutableRawPointer
    ) {
        withUnsafePointer(to: form) { functions.pack($0, from, to.assumingMemoryBound(to: Float.self)) }
    }
}
