import SardonyxGraph

/// y[…, i, …] = x[…, start + i·step, …] along each of `axes`, up to but without `end`.
///
/// Starts and ends may count from the axis's end and are clamped to it, as Python's slices are.
///
/// <https://onnx.ai/onnx/operators/onnx__Slice.html>
enum Slice: Operator {
    static let schema = Schema(
        "Slice", versions: [1, 10, 11, 13],
        inputs: [
            Parameter("data", "T", .movable), Parameter("starts", "Tind", .indices),
            Parameter("ends", "Tind", .indices),
            Parameter("axes", "Tind", .indices, .optional), Parameter("steps", "Tind", .indices, .optional),
        ],
        outputs: [Parameter("output", "T", .movable)])

    static let execution = Execution.movesElements

    /// Through opset 9 everything but the data is an attribute.
    static func lift(_ node: inout Node, from opset: Int, in lifting: inout Lifting) throws {
        guard opset < 10 else { return }
        lifting.moveToInput("starts", of: &node, at: 1)
        lifting.moveToInput("ends", of: &node, at: 2)
        lifting.moveToInput("axes", of: &node, at: 3)
    }

    /// What is asked of one axis.
    private struct Range {
        let axis: Int
        let start: Int
        let end: Int
        let step: Int

        /// The first index and the number of them, on an axis of `extent`.
        func indices(of extent: Int) -> (first: Int, count: Int) {
            let first = start < 0 ? start + extent : start
            let last = end < 0 ? end + extent : end
            if step > 0 {
                let from = min(max(first, 0), extent)
                let to = min(max(last, 0), extent)
                return (from, to <= from ? 0 : (to - from - 1) / step + 1)
            }
            let from = min(max(first, 0), extent - 1)
            let to = min(max(last, -1), extent - 1)
            return (from, from <= to ? 0 : (from - to - 1) / Int(clamping: step.magnitude) + 1)
        }

        func extent(of dimension: Dimension) -> Dimension {
            if let extent = dimension.value { return .fixed(indices(of: extent).count) }
            // Ends beyond 32 bits are how exporters write "to the end".
            if start == 0, step == 1, end >= Int(Int32.max) { return dimension }
            return .formula("slice(\(dimension),\(start),\(min(end, Int(Int32.max))),\(step))")
        }
    }

    private static func ranges(
        starts: [Int], ends: [Int], axes: [Int]?, steps: [Int]?, rank: Int
    ) throws(SardonyxError) -> [Range] {
        let count = starts.count
        guard ends.count == count, axes?.count ?? count == count, steps?.count ?? count == count, count <= rank else {
            throw SardonyxError(
                .invalidModel,
                "starts \(starts), ends \(ends), axes \(axes ?? []) and steps \(steps ?? []) must have the same number of "
                    + "elements, \(rank) at most")
        }
        let axes = try normalizedAxes(axes ?? Array(0..<count), rank: rank)
        let steps = steps ?? [Int](repeating: 1, count: count)
        if steps.contains(0) { throw SardonyxError(.invalidModel, "steps \(steps) must not be 0") }
        return (0..<count).map { Range(axis: axes[$0], start: starts[$0], end: ends[$0], step: steps[$0]) }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let type = try context.dataType(0)
        guard let shape = context.shape(0) else { return context.set(0, type, nil) }
        let axes = context.knownIntegers(3)
        let steps = context.knownIntegers(4)
        guard let starts = context.knownIntegers(1), let ends = context.knownIntegers(2),
            axes != nil || !context.has(3), steps != nil || !context.has(4)
        else {
            // Axes that are not named keep their extents.
            guard let axes else { return context.set(0, type, context.unknownShape(shape.count)) }
            var result = shape
            for axis in try normalizedAxes(axes, rank: shape.count) { result[axis] = .unknown }
            return context.set(0, type, result)
        }
        var result = shape
        let ranges = try ranges(starts: starts, ends: ends, axes: axes, steps: steps, rank: shape.count)
        for range in ranges { result[range.axis] = range.extent(of: shape[range.axis]) }
        context.set(0, type, result)
        if shape.count == 1, let elements = context.elements(0), ranges.count <= 1 {
            guard let range = ranges.first else {
                context.outputElements[0] = elements
                return
            }
            let (first, count) = range.indices(of: elements.count)
            context.outputElements[0] = (0..<count).map { elements[first + $0 * range.step] }
        }
    }

    static func layouts(_ context: PreparationContext) throws -> [LayoutOffer] {
        let input = try context.input(0)
        guard input.canBlockChannels,
            let axes = try context.integers(3) ?? context.integers(1).map({ Array($0.indices) }),
            try !normalizedAxes(axes, rank: input.shape.count).contains(1)
        else { return [] }
        return try context.channelBlocks()
    }

    static func prepare(_ context: PreparationContext) throws -> Kernel {
        let input = try context.input(0)
        let ranges = try ranges(
            starts: context.integers(1) ?? [], ends: context.integers(2) ?? [], axes: context.integers(3),
            steps: context.integers(4), rank: input.shape.count)
        var shape = input.storedShape
        let strides = shape.rowMajorStrides
        var steps = strides
        var offset = 0
        for range in ranges {
            let (first, count) = range.indices(of: input.shape[range.axis])
            shape[range.axis] = count
            // A single element takes no step, and a step may be larger than any address.
            if count > 1 { steps[range.axis] = strides[range.axis] * range.step }
            if count > 0 { offset += first * strides[range.axis] }
        }
        var kernel = try StridedCopy(
            shape: shape, from: steps, elementSize: input.dataType.byteCount, sourceOffset: offset
        ).kernel(inputCount: input.elementCount)
        kernel.absorbedInputs = [1, 2, 3, 4]
        // One run of elements is a part of the input; `steps` of extents of 1 do not matter.
        let isRun = shape.indices.allSatisfy { axis in
            shape[axis] == 1 || steps[axis] == shape[(axis + 1)...].reduce(1, *)
        }
        if input.dataType != .string, isRun, shape.elementCount > 0 {
            kernel.parts[0] = Kernel.Part(input: 0, byteOffset: offset * input.dataType.byteCount)
        }
        return kernel
    }

    static let derivative: Derivative? = .movement

    static let examples = [
        Example(
            "a column range of the last row",
            inputs: [
                Tensor(shape: [2, 4], scalars: [1, 2, 3, 4, 5, 6, 7, 8] as [Float]), Tensor(integers: [-1, 0]),
                Tensor(integers: [1000, 3]), Tensor(integers: [0, 1]), Tensor(integers: [1, 2]),
            ],
            outputs: [Tensor(shape: [1, 2], scalars: [5, 7] as [Float])]),
        Example(
            "backward",
            inputs: [
                Tensor(shape: [4], scalars: [1, 2, 3, 4] as [UInt8]), Tensor(integers: [-1]),
                Tensor(integers: [Int.min]), nil, Tensor(integers: [-2]),
            ],
            outputs: [Tensor(shape: [2], scalars: [4, 2] as [UInt8])]),
    ]
}
