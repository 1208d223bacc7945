import CKernels
import SardonyxGraph

/// y[o…] = Σ w₁[o₁, i₁] · w₂[o₂, i₂] · … · x[i…]: every axis is resampled by the filter `mode` around the positions that
/// `coordinate_transformation_mode` gives its outputs; `scales` or `sizes` set the shape.
///
/// <https://onnx.ai/onnx/operators/onnx__Resize.html>
enum Resize: Operator {
    static let schema = Schema(
        "Resize", versions: [10, 11, 13, 18, 19],
        inputs: [
            Parameter("X", "T1", .movable), Parameter("roi", "T2", [.double, .float, .float16], .optional),
            Parameter("scales", "tensor(float)", [.float], .optional),
            Parameter("sizes", "tensor(int64)", [.int64], .optional),
        ],
        outputs: [Parameter("Y", "T1", .movable)],
        attributes: [
            AttributeSpec("antialias", .int), AttributeSpec("axes", .ints),
            AttributeSpec("coordinate_transformation_mode", .string), AttributeSpec("cubic_coeff_a", .float),
            AttributeSpec("exclude_outside", .int), AttributeSpec("extrapolation_value", .float),
            AttributeSpec("keep_aspect_ratio_policy", .string), AttributeSpec("mode", .string),
            AttributeSpec("nearest_mode", .string),
        ])

    static let execution = Execution.movesElements

    /// In opset 10 coordinates are asymmetric, and the nearest element is the one before.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        if opset < 11 {
            if node.inputs.count == 2 { node.inputs.insert(nil, at: 1) }
            useFormerCoordinates(&node)
        }
    }

    /// What opset 10 and Upsample mean, in attributes of newer versions.
    static func useFormerCoordinates(_ node: inout Node) {
        node.attributes["coordinate_transformation_mode"] = .string("asymmetric")
        node.attributes["nearest_mode"] = .string("floor")
        if node.string("mode") == "bilinear" { node.attributes["mode"] = .string("linear") }
    }

    /// Whether an input is there and is not the empty tensor by which opset 11 omits it.
    private static func isGiven(_ context: InferenceContext, _ index: Int) -> Bool {
        context.has(index) && context.shape(index)?.first?.value != 0
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        let filter = try ResampleFilter(context.node)
        if filter.mode != .nearest, type == .string || type == .complex64 || type == .complex128 {
            throw SardonyxError(.invalidModel, "the mode \(filter.mode) cannot mix elements of type \(type.name)")
        }
        let (hasScales, hasSizes) = (isGiven(context, 2), isGiven(context, 3))
        guard hasScales != hasSizes || context.shape(2) == nil && context.has(2) && hasSizes else {
            throw SardonyxError(.invalidModel, "either scales or sizes must be given")
        }
        guard let input = context.shape(0) else { return context.set(0, type, nil) }
        let chosen = try ResizeGeometry.axes(context.node, rank: input.count)
        var output = input
        for axis in chosen { output[axis] = .unknown }
        let sizes = hasSizes ? context.elements(3) : nil
        let scales = hasScales ? context.constant(2)?.doubles : nil
        if let extents = input.fixed, let known = sizes?.fixed {
            let geometry = try ResizeGeometry(context.node, input: extents, scales: nil, sizes: known, roi: nil)
            output = SymbolicShape(geometry.axes.map(\.output))
        } else if let sizes, context.node.flag(ResizeGeometry.ratioAttribute), let axis = chosen.first,
            let size = sizes.first
        {
            output[axis] = size
        } else if let sizes, sizes.count == chosen.count {
            if context.node.string("keep_aspect_ratio_policy", default: "stretch") == "stretch" {
                for (axis, size) in zip(chosen, sizes) { output[axis] = size }
            }
        } else if let scales, !hasSizes {
            guard scales.count == chosen.count else {
                throw SardonyxError(.invalidModel, "scales has \(scales.count) numbers; it must have \(chosen.count)")
            }
            for (axis, scale) in zip(chosen, scales) {
                if let extent = input[axis].value {
                    output[axis] = .fixed(try ResizeGeometry.scaled(extent, scale))
                } else if let whole = Int(exactly: scale), whole > 0 {
                    output[axis] = input[axis] * .fixed(whole)
                }
            }
        }
        context.set(0, type, output)
    }

    /// Batch and channels stay; the tables are constant.
    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        let (input, output) = (try context.input(0).shape, try context.output(0).shape)
        let isConstant = (1...3).allSatisfy { !context.has($0) || context.constant($0) != nil }
        return isConstant && input.prefix(2) == output.prefix(2) ? try context.channelBlocks() : []
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let spec = try context.input(0)
        let filter = try ResampleFilter(context.node)
        if filter.mode != .nearest, spec.dataType.isHalfWidth { return try context.throughFloat(prepare) }
        func numbers(_ index: Int) throws -> [Double]? {
            guard context.has(index), try context.input(index).elementCount > 0 else { return nil }
            guard let constant = context.constant(index) else {
                throw SardonyxError(.unsupported, "input \(index) must be a constant here")
            }
            return constant.doubles
        }
        var sizes: [Int]?
        if context.has(3), try context.input(3).elementCount > 0 {
            // Without a policy the sizes are the output's extents, known or not when the plan is made.
            let isPlain =
                context.node.string("keep_aspect_ratio_policy", default: "stretch") == "stretch"
                && !context.node.flag(ResizeGeometry.ratioAttribute)
            let output = try context.output(0).shape
            sizes =
                isPlain
                ? try ResizeGeometry.axes(context.node, rank: output.count).map { output[$0] } : try context.integers(3)
        }
        let geometry = try ResizeGeometry(
            context.node, input: spec.shape, scales: sizes == nil ? try numbers(2) : nil, sizes: sizes,
            roi: filter.coordinates == .cropAndResize ? try numbers(1) : nil)
        guard geometry.axes.allSatisfy({ $0.input <= Int32.max }) else {
            throw SardonyxError(.unsupported, "resizing an axis of over \(Int32.max) elements is not supported")
        }
        let extrapolation = context.node.float("extrapolation_value", default: 0)
        var kernel: Kernel
        if geometry.axes.allSatisfy(\.isIdentity) {
            kernel = .view
        } else if filter.mode == .nearest {
            let tables = geometry.axes.map { $0.isIdentity ? (0..<$0.input).map(Int32.init) : filter.nearest($0) }
            kernel = try NearestResize(spec, geometry, tables, extrapolation: extrapolation).kernel()
        } else {
            let taps = geometry.axes.map { $0.isIdentity ? AxisTaps.identity($0.input) : filter.taps($0) }
            kernel = try SeparableResize(geometry: geometry, taps: taps, extrapolation: extrapolation)
                .kernel(spec)
        }
        kernel.absorbedInputs = Set((1...3).filter { context.has($0) })
        return kernel
    }

    static let derivative: Derivative? = Derivative { d in
        let filter = try ResampleFilter(d.node)
        if filter.mode == .nearest { return try d.setMoved(leavesGaps: filter.coordinates == .cropAndResize) }
        try d.set(0) { try Self.transposed(d, filter) }
    }

    /// Every axis is resampled by itself: its matrix is what the operator makes of the identity.
    private static func transposed(_ d: Derivation, _ filter: ResampleFilter) throws -> Term {
        let (x, y) = (try d.x(), try d.y())
        let rank = try x.rank()
        let isCropped = filter.coordinates == .cropAndResize
        var gradient = try d.dy()
        let chosen = try ResizeGeometry.axes(d.node, rank: rank)
        let ratio = try commonRatio(d, chosen)
        for (place, axis) in chosen.enumerated() {
            let scale = d.optionalInput(2)?.constant?.doubles
            let isSame = ratio == nil && x.shape?[axis] == y.shape?[axis] && x.shape?[axis] != .unknown
            if isSame, !isCropped, scale.map({ $0.isEmpty || $0[place] == 1 }) ?? true { continue }
            let extent = try x.extents(axis..<axis + 1)
            let identity = try x.filled(0, extent.joined([extent])).apply("EyeLike")
            func part(_ input: Int, _ places: [Int]) throws -> Term? {
                guard let list = d.optionalInput(input), list.shape?.first?.value != 0 else { return nil }
                return try list.apply("Gather", list.integers(places))
            }
            var attributes = d.node.attributes
            attributes["axes"] = .ints([0])
            attributes["extrapolation_value"] = nil
            attributes["keep_aspect_ratio_policy"] = nil
            if ratio != nil { attributes[ResizeGeometry.ratioAttribute] = .int(1) }
            let size = try ratio.map { try y.extents(axis..<axis + 1).joined([$0]) } ?? part(3, [place])
            let matrix = try identity.apply(
                "Resize", isCropped ? part(1, [place, chosen.count + place]) : nil,
                ratio == nil ? part(2, [place]) : nil, size, with: attributes)
            let order = Array(0..<rank).filter { $0 != axis } + [axis]
            let back = order.indices.map { order.firstIndex(of: $0) ?? $0 }
            gradient = try gradient.transposed(order).apply("MatMul", matrix).transposed(back)
        }
        return gradient
    }

    /// The two extents, new and old, by whose quotient every axis is scaled where the aspect ratio is kept.
    private static func commonRatio(_ d: Derivation, _ chosen: [Int]) throws -> Term? {
        let policy = d.node.string("keep_aspect_ratio_policy", default: "stretch")
        guard policy != "stretch", let sizes = d.optionalInput(3), sizes.shape?.first?.value != 0 else { return nil }
        let double = ["to": Attribute.int(Int64(DataType.double.rawValue))]
        let extents = try d.x().extents().apply("Gather", sizes.integers(chosen))
        let scales = try sizes.apply("Cast", with: double) / extents.apply("Cast", with: double)
        let place = try scales.apply(policy == "not_larger" ? "ArgMin" : "ArgMax", with: ["axis": .int(0)])
        return try sizes.apply("Gather", place).joined([extents.apply("Gather", place)])
    }

    static let examples = [
        Example(
            "nearest, twice as large",
            inputs: [
                Tensor(shape: [1, 1, 1, 2], scalars: [1, 2] as [Float]), nil,
                Tensor(shape: [4], scalars: [1, 1, 2, 2] as [Float]),
            ],
            outputs: [Tensor(shape: [1, 1, 2, 4], scalars: [1, 1, 2, 2, 1, 1, 2, 2] as [Float])]),
        Example(
            "linear to a size, corners aligned",
            attributes: [
                "mode": .string("linear"), "coordinate_transformation_mode": .string("align_corners"),
                "axes": .ints([2]),
            ],
            inputs: [Tensor(shape: [1, 1, 3], scalars: [0, 2, 6] as [Float]), nil, nil, Tensor(integers: [5])],
            outputs: [Tensor(shape: [1, 1, 5], scalars: [0, 1, 2, 4, 6] as [Float])], tolerance: 1e-6),
        Example(
            "cubic, half as large, bytes",
            attributes: ["mode": .string("cubic")],
            inputs: [
                Tensor(shape: [4], scalars: [0, 100, 200, 255] as [UInt8]), nil,
                Tensor(shape: [1], scalars: [0.5] as [Float]),
            ],
            // The taps at ±1/2 have the weight 0.59375, those at ±3/2 have -0.09375.
            outputs: [Tensor(shape: [2], scalars: [41, 237] as [UInt8])]),
    ]
}
