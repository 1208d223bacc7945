import SardonyxGraph

/// What QuantizeLinear and DequantizeLinear share: where scales and zero points lie, and their values in a run.
struct QuantizationForm: Sendable {
    let layout: QuantizationLayout
    let scales: QuantizationParameters
    let zeros: QuantizationParameters?
    /// Scratch memory in bytes.
    let workspaceByteCount: Int

    init(_ context: PreparationContext) throws {
        var workspace = Workspace.Layout()
        layout = try QuantizationLayout(
            context.node, shape: context.input(0).shape, scale: context.input(1).shape)
        scales = try QuantizationParameters(context, input: 1, &workspace)
        zeros = context.has(2) ? try QuantizationParameters(context, input: 2, &workspace) : nil
        workspaceByteCount = workspace.byteCount
    }

    /// A kernel that runs after the parameters have been read.
    func kernel(_ run: @escaping @Sendable (Frame) -> Void) -> Kernel {
        var kernel = Kernel { [self] frame in
            scales.load(frame)
            zeros?.load(frame)
            run(frame)
        }
        kernel.workspaceByteCount = workspaceByteCount
        return kernel
    }

    /// A kernel with one scale and one zero point, and the number of elements.
    func perTensorKernel(
        _ run: @escaping @Sendable (_ frame: Frame, _ count: Int64, _ scale: Float, _ zero: Int32) -> Void
    ) -> Kernel {
        kernel { [self] frame in
            run(
                frame, Int64(layout.count), Float(scales.values(frame)[0]),
                zeros.map { Int32($0.values(frame)[0]) } ?? 0)
        }
    }
}
