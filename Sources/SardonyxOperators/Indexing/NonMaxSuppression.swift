import SardonyxGraph

/// y[n] = [batch, class, box]: the boxes of the highest scores that overlap no better one of their class too much.
///
/// The overlap of two boxes is the area of their intersection over that of their union; above `iou_threshold` the box of
/// the lower score goes. Boxes are [y1, x1, y2, x2], any two opposite corners, or with `center_point_box` [x, y, width,
/// height]. Equal scores count in the boxes' order.
///
/// <https://onnx.ai/onnx/operators/onnx__NonMaxSuppression.html>
enum NonMaxSuppression: Operator {
    static let schema = Schema(
        "NonMaxSuppression", versions: [10, 11],
        inputs: [
            Parameter("boxes", "tensor(float)", [.float]), Parameter("scores", "tensor(float)", [.float]),
            Parameter("max_output_boxes_per_class", "tensor(int64)", [.int64], .optional),
            Parameter("iou_threshold", "tensor(float)", [.float], .optional),
            Parameter("score_threshold", "tensor(float)", [.float], .optional),
        ],
        outputs: [Parameter("selected_indices", "tensor(int64)", [.int64])],
        attributes: [AttributeSpec("center_point_box", .int)])

    static let execution = Execution.dynamic

    static func infer(_ context: inout InferenceContext) throws {
        try context.requireRank(0, 3...3, "boxes")
        try context.requireRank(1, 3...3, "scores")
        if let boxes = context.shape(0), let scores = context.shape(1) {
            _ = try boxes[0].agreeing(with: scores[0], "boxes and scores must have the same batch")
            _ = try boxes[1].agreeing(with: scores[2], "boxes and scores must be for the same boxes")
            _ = try boxes[2].agreeing(with: .fixed(4), "a box must have 4 numbers")
        }
        let layout = context.node.int("center_point_box", default: 0)
        guard layout == 0 || layout == 1 else {
            throw SardonyxError(.invalidModel, "center_point_box is \(layout); it must be 0 or 1")
        }
        context.set(0, .int64, [.unknown, .fixed(3)])
    }

    /// A box by its corners.
    private struct Box {
        let x: ClosedRange<Float>
        let y: ClosedRange<Float>
        let area: Float

        /// - Returns: nil where a coordinate is not a number: such a box overlaps nothing.
        init?(_ numbers: UnsafePointer<Float>, isCentered: Bool) {
            var (x1, x2, y1, y2) = (numbers[1], numbers[3], numbers[0], numbers[2])
            if isCentered {
                (x1, x2) = (numbers[0] - numbers[2] / 2, numbers[0] + numbers[2] / 2)
                (y1, y2) = (numbers[1] - numbers[3] / 2, numbers[1] + numbers[3] / 2)
            }
            if x1.isNaN || x2.isNaN || y1.isNaN || y2.isNaN { return nil }
            // Negative sizes leave a centered box without an area; corners may come in any order.
            if isCentered, x2 < x1 || y2 < y1 { return nil }
            x = min(x1, x2)...max(x1, x2)
            y = min(y1, y2)...max(y1, y2)
            area = (x.upperBound - x.lowerBound) * (y.upperBound - y.lowerBound)
        }

        func overlaps(_ other: Box, above threshold: Float) -> Bool {
            let width = min(x.upperBound, other.x.upperBound) - max(x.lowerBound, other.x.lowerBound)
            let height = min(y.upperBound, other.y.upperBound) - max(y.lowerBound, other.y.lowerBound)
            guard width > 0, height > 0 else { return false }
            let intersection = width * height
            let union = area + other.area - intersection
            guard intersection > 0, area > 0, other.area > 0, union > 0 else { return false }
            return intersection / union > threshold
        }
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let boxes = try context.tensor(0)
        let scores = try context.tensor(1)
        guard boxes.shape.count == 3, scores.shape.count == 3, boxes.shape[2] == 4, boxes.shape[0] == scores.shape[0],
            boxes.shape[1] == scores.shape[2]
        else {
            throw SardonyxError(
                .invalidInput,
                "boxes \(boxes.shape) must be [batch, box, 4] and scores \(scores.shape) [batch, class, box]")
        }
        let limit = try context.optionalTensor(2)?.integers?.first ?? 0
        let overlap = try context.optionalTensor(3)?.scalars(Float.self).first ?? 0
        guard overlap >= 0, overlap <= 1 else {
            throw SardonyxError(.invalidValue, "iou_threshold is \(overlap), which is outside [0, 1]")
        }
        let threshold = try context.optionalTensor(4)?.scalars(Float.self).first
        let isCentered = context.node.flag("center_point_box")
        var selected: [Int64] = []
        try boxes.withUnsafeBytes(of: Float.self) { coordinates in
            try scores.withUnsafeBytes(of: Float.self) { values in
                guard limit > 0, let corner = coordinates.baseAddress, let score = values.baseAddress else { return }
                let (classes, count) = (scores.shape[1], scores.shape[2])
                for batch in 0..<scores.shape[0] {
                    let candidates = (0..<count).map { Box(corner + (batch * count + $0) * 4, isCentered: isCentered) }
                    for label in 0..<classes {
                        try context.environment.checkCancellation()
                        let kept = select(
                            candidates, score + (batch * classes + label) * count, limit: limit, overlap: overlap,
                            threshold: threshold)
                        for box in kept { selected += [Int64(batch), Int64(label), Int64(box)] }
                    }
                }
            }
        }
        return [.tensor(Tensor(shape: [selected.count / 3, 3], scalars: selected))]
    }

    /// The boxes of one class that stay, the best first.
    private static func select(
        _ boxes: [Box?], _ scores: UnsafePointer<Float>, limit: Int, overlap: Float, threshold: Float?
    ) -> [Int] {
        // A NaN is above no threshold, and without one it is the lowest score of all.
        func rank(_ box: Int) -> Float { scores[box].isNaN ? -.infinity : scores[box] }
        var order = Array(boxes.indices)
        if let threshold { order.removeAll { !(scores[$0] > threshold) } }
        order.sort { rank($0) == rank($1) ? $0 < $1 : rank($0) > rank($1) }
        var kept: [Int] = []
        for box in order {
            if kept.count == limit { break }
            let isCovered = kept.contains { better in
                guard let a = boxes[better], let b = boxes[box] else { return false }
                return b.overlaps(a, above: overlap)
            }
            if !isCovered { kept.append(box) }
        }
        return kept
    }

    static let examples = [
        Example(
            "the second box overlaps the first",
            inputs: [
                Tensor(shape: [1, 3, 4], scalars: [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 10, 1, 11] as [Float]),
                Tensor(shape: [1, 1, 3], scalars: [0.9, 0.75, 0.6] as [Float]), Tensor(integers: [3]),
                Tensor(shape: [1], scalars: [0.5] as [Float]), Tensor(shape: [1], scalars: [0] as [Float]),
            ],
            outputs: [Tensor(shape: [2, 3], scalars: [0, 0, 0, 0, 0, 2] as [Int64])])
    ]
}
