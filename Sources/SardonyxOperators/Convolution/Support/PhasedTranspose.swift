import CKernels
import SardonyxGraph

/// A transposed convolution from channels in blocks to a few plain ones, by the residues of the output's position modulo the
/// strides: each residue is a small convolution with the taps that meet it, whose results are stored a stride apart.
///
/// y[o] with o = j · stride + r meets x[i] by the taps t = p + u · stride at i = j + q − u, where q and p are the quotient and
/// the remainder of r + pad by the stride: a convolution over j with the taps in reverse order.
struct PhasedTranspose {
    /// One residue along one axis.
    private struct Phase {
        let residue: Int
        /// The first tap, and the number of taps.
        let first: Int
        let taps: Int
        let pad: Int
        let outputs: Int
    }

    /// One residue along all axes.
    private struct Part {
        let form: sdx_conv_params
        let phases: [Phase]
        let packed: TensorStorage
        let copy: StridedCopy
    }

    private let geometry: ConvolutionGeometry
    private let phases: [[Phase]]

    /// - Returns: nil where the kernels do not take it: groups, dilation, residues that no tap meets, or many filters, which
    ///   a product serves better.
    init?(_ geometry: ConvolutionGeometry) {
        let window = geometry.window
        guard geometry.groups == 1, (1..<TensorLayout.blockSize).contains(geometry.filters),
            geometry.channels % TensorLayout.blockSize == 0, window.rank <= 3,
            window.dilations.allSatisfy({ $0 == 1 }), window.strides.allSatisfy({ $0 <= 8 })
        else { return nil }
        self.geometry = geometry
        var phases: [[Phase]] = []
        for axis in 0..<window.rank {
            let stride = window.strides[axis]
            var row: [Phase] = []
            for residue in 0..<min(stride, window.output[axis]) {
                let (quotient, first) = (residue + window.padBegin[axis]).quotientAndRemainder(dividingBy: stride)
                let taps = (window.kernel[axis] - first + stride - 1) / stride
                guard first < window.kernel[axis], taps - 1 >= quotient else { return nil }
                row.append(
                    Phase(
                        residue: residue, first: first, taps: taps, pad: taps - 1 - quotient,
                        outputs: (window.output[axis] - residue + stride - 1) / stride))
            }
            phases.append(row)
        }
        self.phases = phases
        guard combinations.allSatisfy({ isSupported(form($0, sdx_activation(kind: SDX_ACTIVATION_NONE, a: 0, b: 0))) })
        else { return nil }
    }

    private var combinations: [[Phase]] {
        phases.reduce([[]]) { rows, phases in rows.flatMap { row in phases.map { row + [$0] } } }
    }

    private func isSupported(_ form: sdx_conv_params) -> Bool {
        withUnsafePointer(to: form) { sdx_conv_c8_f32_supported($0, SDX_CONV_C8_TO_PLAIN) != 0 }
    }

    private func form(_ phases: [Phase], _ activation: sdx_activation) -> sdx_conv_params {
        let ones = [Int](repeating: 1, count: phases.count)
        return sdx_conv_params(
            n: Int64(geometry.batch), c: Int64(geometry.channels), k: Int64(geometry.filters), groups: 1,
            in: Window.three(geometry.window.input, 1), out: Window.three(phases.map(\.outputs), 1),
            kernel: Window.three(phases.map(\.taps), 1), stride: Window.three(ones, 1),
            dilation: Window.three(ones, 1), pad_begin: Window.three(phases.map(\.pad), 0), activation: activation,
            repeats: Window.three([], 1))
    }

    func kernel(_ context: PreparationContext) throws -> Kernel {
        guard let weights = context.constant(1) else {
            throw SardonyxError(.unsupported, "the weights of a convolution in blocks of channels must be constant")
        }
        let functions = ConvolutionFunctions.blocked(SDX_CONV_C8_TO_PLAIN)
        let activation = try FusedActivation.kernelForm(FusedActivation(context.node))
        let filters = geometry.filters
        let strides = ([geometry.batch, filters] + geometry.window.output).rowMajorStrides
        var parts: [Part] = []
        var (results, scratch) = (0, 0)
        for phases in combinations {
            let form = form(phases, activation)
            let (packedBytes, scratchBytes) = withUnsafePointer(to: form) {
                (functions.packedBytes($0), functions.workspaceBytes($0, Int32(context.workers)))
            }
            guard (0..<TensorSpec.byteLimit).contains(packedBytes), (0..<TensorSpec.byteLimit).contains(scratchBytes)
            else { throw SardonyxError(.memory, "the convolution's scratch memory is larger than any memory") }
            let pack = packer(form, phases, functions)
            let shape = [geometry.batch, filters] + phases.map(\.outputs)
            parts.append(
                Part(
                    form: form, phases: phases,
                    packed: try context.packedWeights.pack(
                        context.inputValues[1], weights, layout: geometry.layoutName("phase \(phases.map(\.residue))"),
                        byteCount: packedBytes, fill: pack),
                    copy: try StridedCopy(
                        shape: shape, from: shape.rowMajorStrides,
                        to: strides.prefix(2) + zip(strides.dropFirst(2), geometry.window.strides).map { $0 * $1 },
                        elementSize: MemoryLayout<Float>.size,
                        targetOffset: zip(strides.dropFirst(2), phases).reduce(0) { $0 + $1.0 * $1.1.residue })))
            results = max(results, shape.elementCount * MemoryLayout<Float>.size)
            scratch = max(scratch, scratchBytes)
        }
        var workspace = Workspace.Layout()
        let resultOffset = workspace.reserve(results)
        let scratchOffset = workspace.reserve(scratch)
        let biasSlot = context.inputSlot(2)
        var kernel = Kernel { [parts] frame in
            let result: UnsafeMutablePointer<Float> = frame.scratch(resultOffset)
            for part in parts {
                withUnsafePointer(to: part.form) {
                    functions.run(
                        frame.pool, $0, frame.input(0), part.packed.base.assumingMemoryBound(to: Float.self),
                        frame.input(slot: biasSlot), nil, result, frame.workspace.map { $0 + scratchOffset })
                }
                part.copy.run(result, frame.output(0, as: UInt8.self), pool: frame.pool)
            }
        }
        kernel.workspaceByteCount = workspace.byteCount
        kernel.absorbedInputs = [1]
        kernel.packedWeights = parts.map(\.packed)
        return kernel
    }

    /// Packs the taps of one residue, in reverse order: w[c, m, t] becomes w[m, c, t].
    private func packer(
        _ form: sdx_conv_params, _ phases: [Phase], _ functions: ConvolutionFunctions
    ) -> PackedWeights.Fill {
        let (channels, filters, strides) = (geometry.channels, geometry.filters, geometry.window.strides)
        let kernelStrides = geometry.window.kernel.rowMajorStrides
        let kernelCount = geometry.kernelCount
        let taps = phases.map(\.taps)
        let positions = (0..<taps.elementCount).map { tap -> Int in
            var (rest, position) = (tap, 0)
            for axis in phases.indices.reversed() {
                let reversed = taps[axis] - 1 - rest % taps[axis]
                position += (phases[axis].first + reversed * strides[axis]) * kernelStrides[axis]
                rest /= taps[axis]
            }
            return position
        }
        return { source, packed in
            let weights = source.assumingMemoryBound(to: Float.self)
            var picked: [Float] = []
            picked.reserveCapacity(filters * channels * positions.count)
            for filter in 0..<filters {
                for channel in 0..<channels {
                    let taps = weights + (channel * filters + filter) * kernelCount
                    for position in positions { picked.append(taps[position]) }
                }
            }
            withUnsafePointer(to: form) { functions.pack($0, picked, packed.assumingMemoryBound(to: Float.self)) }
        }
    }
}
