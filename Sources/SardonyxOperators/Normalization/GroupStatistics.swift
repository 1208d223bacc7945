import CKernels
import SardonyxGraph

/// Normalisation by the mean and variance of groups of channels, then scale and bias of each channel: inputs 0, 1 and 2.
struct GroupStatistics: RealVisitor {
    let batch: Int
    let groups: Int
    let channelsPerGroup: Int
    let spatial: Int
    let epsilon: Float
    /// Applied to the results; float only.
    let activation: FusedActivation?
    private let layout: TensorLayout

    init(_ context: PreparationContext, groups: Int) throws {
        let spec = try context.input(0)
        let layout = ChannelLayout(spec.shape)
        batch = Int(layout.batch)
        self.groups = groups
        channelsPerGroup = groups == 0 ? 0 : Int(layout.channels) / groups
        spatial = Int(layout.inner)
        epsilon = context.node.float("epsilon", default: 1e-5)
        activation = try FusedActivation(context.node)
        self.layout = spec.layout
    }

    func kernel(_ type: DataType) throws -> Kernel {
        var kernel: Kernel
        if type == .float {
            let shape = self
            let form = try FusedActivation.kernelForm(activation)
            kernel =
                layout == .channelBlocks
                ? blocked(form)
                : Kernel { frame in
                    sdx_group_norm_f32(
                        frame.pool, frame.input(0), frame.output(0), Int64(shape.batch), Int64(shape.groups),
                        Int64(shape.channelsPerGroup), Int64(shape.spatial), frame.input(1), frame.input(2),
                        shape.epsilon,
                        form.kind, form.a)
                }
        } else {
            kernel = try type.visitReal(self)
        }
        kernel.inPlace = [0: [0]]
        return kernel
    }

    private func blocked(_ activation: sdx_activation) -> Kernel {
        let shape = self
        return Kernel { frame in
            sdx_group_norm_c8_f32(
                frame.pool, frame.input(0), frame.output(0), Int64(shape.batch), Int64(shape.groups),
                Int64(shape.channelsPerGroup), Int64(shape.spatial), frame.input(1), frame.input(2), shape.epsilon,
                activation)
        }
    }

    func visit<T: Real>(_ type: T.Type) throws -> Kernel {
        let shape = self
        let size = channelsPerGroup * spatial
        return Kernel.parallel(chunks: batch * groups) { frame, chunk, _ in
            let x = frame.input(0, as: T.self) + chunk * size
            let y = frame.output(0, as: T.self) + chunk * size
            var sum = 0.0
            for i in 0..<size { sum += x[i].double }
            let mean = sum / Double(size)
            var squares = 0.0
            for i in 0..<size { squares += (x[i].double - mean) * (x[i].double - mean) }
            let inverse = 1 / (squares / Double(size) + Double(shape.epsilon)).squareRoot()
            for channel in 0..<shape.channelsPerGroup {
                let index = chunk % shape.groups * shape.channelsPerGroup + channel
                let factor = frame.input(1, as: T.self)[index].double * inverse
                let bias = frame.input(2, as: T.self)[index].double
                for i in channel * shape.spatial..<(channel + 1) * shape.spatial {
                    y[i] = T.converting((x[i].double - mean) * factor + bias)
                }
            }
        }
    }
}
