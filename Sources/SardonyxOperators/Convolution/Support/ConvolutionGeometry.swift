import CKernels
import SardonyxGraph

/// The extents of a convolution y[n, m, o] = Σ x[n, c, o · stride + t · dilation − pad] · w[m, c, t].
struct ConvolutionGeometry: Sendable {
    let batch: Int
    let channels: Int
    let filters: Int
    let groups: Int
    let window: Window
    /// How often each pixel of the input counts along each axis of space; empty for once. The window is over all of them.
    let repeats: [Int]

    var channelsPerGroup: Int { channels / groups }
    var filtersPerGroup: Int { filters / groups }
    var inputPlane: Int { window.input.elementCount }
    var outputPlane: Int { window.output.elementCount }
    var kernelCount: Int { window.kernel.elementCount }
    var multiplyAdds: Int { batch &* filters &* outputPlane &* channelsPerGroup &* kernelCount }

    /// A convolution's concrete extents.
    init(_ context: PreparationContext, x: Int = 0, w: Int = 1) throws {
        let input = try context.input(x).shape
        let weights = try context.input(w).shape
        let attributes = try WindowAttributes(context.node, kernel: Array(weights.dropFirst(2)))
        let repeats = context.node.ints(RepeatedInput.attribute) ?? []
        self.init(
            batch: input[0], channels: input[1], filters: weights[0], groups: context.node.int("group", default: 1),
            window: attributes.window(
                input: RepeatedInput.enlarged(Array(input.dropFirst(2)), repeats),
                output: Array(try context.output(0).shape.dropFirst(2))), repeats: repeats)
    }

    init(batch: Int, channels: Int, filters: Int, groups: Int, window: Window, repeats: [Int] = []) {
        self.batch = batch
        self.channels = channels
        self.filters = filters
        self.groups = groups
        self.window = window
        self.repeats = repeats
    }

    /// The same convolution with the axes of one position in front, where kernels look for the short ones: what exporters
    /// write for one axis may have its extent before a 1.
    var withLongAxesLast: ConvolutionGeometry {
        let isPoint = window.kernel.indices.map {
            window.input[$0] == 1 && window.output[$0] == 1 && window.kernel[$0] == 1 && window.padBegin[$0] == 0
        }
        let order = isPoint.indices.filter { isPoint[$0] } + isPoint.indices.filter { !isPoint[$0] }
        return ConvolutionGeometry(
            batch: batch, channels: channels, filters: filters, groups: groups, window: window.withAxes(order),
            repeats: repeats.isEmpty ? [] : order.map { repeats[$0] })
    }

    /// The form that the C kernels take, for at most three spatial axes.
    func kernelForm(_ activation: sdx_activation) -> sdx_conv_params {
        sdx_conv_params(
            n: Int64(batch), c: Int64(channels), k: Int64(filters), groups: Int64(groups),
            in: Window.three(window.input, 1), out: Window.three(window.output, 1),
            kernel: Window.three(window.kernel, 1), stride: Window.three(window.strides, 1),
            dilation: Window.three(window.dilations, 1), pad_begin: Window.three(window.padBegin, 0),
            activation: activation, repeats: Window.three(repeats, 1))
    }

    /// What packed weights depend on, besides the weights.
    func layoutName(_ kind: String) -> String {
        "\(kind) \(channels)/\(groups)→\(filters) k\(window.kernel) s\(window.strides) d\(window.dilations) "
            + "p\(window.padBegin) isa\(sdx_isa_current().rawValue)"
    }

    /// Sets the output's type of a convolution, after checking what is known of the inputs.
    static func infer(
        _ context: inout InferenceContext, x: Int = 0, w: Int = 1, bias: Int? = 2, output type: DataType
    ) throws {
        let node = context.node
        let input = context.shape(x)
        let weights = context.shape(w)
        guard let rank = input?.count ?? weights?.count else { return context.set(0, type, nil) }
        guard rank >= 3 else {
            throw SardonyxError(
                .invalidModel, "a convolution needs at least 3 axes: batch, channels, space; it has \(rank)")
        }
        if let input, let weights, input.count != weights.count {
            throw SardonyxError(
                .invalidModel, "the input \(input.text) and the weights \(weights.text) have different numbers of axes")
        }
        let kernel = try self.kernel(node, weights, rank: rank)
        let groups = try self.groups(node)
        let filters = weights?[0] ?? .unknown
        if let filters = filters.value, filters % groups != 0 {
            throw SardonyxError(.invalidModel, "the \(filters) output channels do not divide into \(groups) groups")
        }
        if let channels = input?[1].value, let perGroup = weights?[1].value,
            channels != perGroup.multipliedReportingOverflow(by: groups).partialValue
        {
            throw SardonyxError(
                .invalidModel,
                "the input has \(channels) channels; the weights want \(groups) groups of \(perGroup)")
        }
        if let bias { try checkBias(context, bias, filters) }
        var shape: SymbolicShape = [input?[0] ?? .unknown, filters]
        if let kernel, let input {
            let attributes = try WindowAttributes(node, kernel: kernel)
            let repeats = node.ints(RepeatedInput.attribute)
            for axis in 0..<rank - 2 {
                let extent = input[axis + 2]
                shape.append(try attributes.output(axis, of: repeats.map { extent * .fixed($0[axis]) } ?? extent))
            }
        } else {
            shape += SymbolicShape(repeating: .unknown, count: rank - 2)
        }
        context.set(0, type, shape)
    }

    /// The kernel's extents by attribute or weights; nil when neither is known.
    static func kernel(_ node: Node, _ weights: SymbolicShape?, rank: Int) throws(SardonyxError) -> [Int]? {
        let known = weights.flatMap { $0.spatial.fixed }
        guard let given = node.ints("kernel_shape"), !given.isEmpty else { return known }
        if let known, known != given {
            throw SardonyxError(.invalidModel, "kernel_shape is \(given), and the weights have \(known)")
        }
        guard given.count == rank - 2 else {
            throw SardonyxError(
                .invalidModel,
                "kernel_shape is \(given); it must have \(rank - 2) numbers, as many as there are axes of space")
        }
        return given
    }

    static func groups(_ node: Node) throws(SardonyxError) -> Int {
        let groups = node.int("group", default: 1)
        guard groups >= 1 else { throw SardonyxError(.invalidModel, "group is \(groups); it must be 1 or more") }
        return groups
    }

    static func checkBias(_ context: InferenceContext, _ index: Int, _ filters: Dimension) throws(SardonyxError) {
        guard let bias = context.shape(index) else { return }
        guard bias.count == 1, bias[0].value == nil || filters.value == nil || bias[0] == filters else {
            throw SardonyxError(
                .invalidModel,
                "the bias has the shape \(bias.text); it must have one number for each of \(filters) channels")
        }
    }
}
