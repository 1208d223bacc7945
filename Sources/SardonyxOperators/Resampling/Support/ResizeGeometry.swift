import SardonyxGraph

/// How every axis of a Resize is resampled, from the node's attributes and its inputs' values.
struct ResizeGeometry {
    /// Of a Resize that a derivative makes: `sizes` are the extent of its only axis, and two extents whose quotient is the scale.
    static let ratioAttribute = "sardonyx.ratio"

    struct Axis {
        var input: Int
        var output: Int
        /// Output per input elements, as the coordinates use it.
        var scale = 1.0
        var roi = (start: 0.0, end: 1.0)

        /// Whether the axis is left as it is.
        var isIdentity: Bool { input == output && abs(scale - 1) <= 1e-9 && roi.start == 0 && roi.end == 1 }
    }

    private(set) var axes: [Axis]

    /// - Parameters:
    ///   - scales: one number for each of the node's `axes`, or nil where `sizes` are given.
    ///   - roi: starts, then ends.
    init(_ node: Node, input: [Int], scales: [Double]?, sizes: [Int]?, roi: [Double]?) throws(SardonyxError) {
        axes = input.map { Axis(input: $0, output: $0) }
        let chosen = try Self.axes(node, rank: input.count)
        if let scales {
            try Self.requireCount("scales", scales.count, chosen.count)
            for (axis, scale) in zip(chosen, scales) {
                axes[axis].scale = scale
                axes[axis].output = try Self.scaled(input[axis], scale)
            }
        } else if let sizes, node.flag(Self.ratioAttribute), chosen.count == 1, sizes.count == 3 {
            guard sizes.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else { throw Self.tooLarge }
            axes[chosen[0]].output = sizes[0]
            let scale = Double(sizes[1]) / Double(sizes[2])
            axes[chosen[0]].scale = scale.isFinite ? scale : Double(sizes[0]) / Double(input[chosen[0]])
        } else if let sizes {
            try Self.requireCount("sizes", sizes.count, chosen.count)
            guard sizes.allSatisfy({ $0 >= 0 }) else {
                throw SardonyxError(.invalidModel, "sizes are \(sizes); every extent must be 0 or more")
            }
            for (axis, size) in zip(chosen, sizes) {
                axes[axis].output = size
                axes[axis].scale = Double(size) / Double(input[axis])
            }
            try keepAspectRatio(node, chosen)
        }
        if let roi, !roi.isEmpty, node.string("coordinate_transformation_mode") == "tf_crop_and_resize" {
            try Self.requireCount("roi", roi.count, 2 * chosen.count)
            for (index, axis) in chosen.enumerated() { axes[axis].roi = (roi[index], roi[chosen.count + index]) }
        }
        for axis in axes where axis.input == 0 && axis.output > 0 {
            throw SardonyxError(.invalidModel, "an axis without elements cannot be resized to \(axis.output)")
        }
    }

    private mutating func keepAspectRatio(_ node: Node, _ chosen: [Int]) throws(SardonyxError) {
        let policy = node.string("keep_aspect_ratio_policy", default: "stretch")
        let scales = chosen.map { axes[$0].scale }
        let common: Double?
        switch policy {
        case "stretch": return
        case "not_larger": common = scales.min()
        case "not_smaller": common = scales.max()
        default:
            throw SardonyxError(
                .invalidModel, "keep_aspect_ratio_policy is '\(policy)'; it must be stretch, not_larger or not_smaller")
        }
        guard let common, common.isFinite else { return }
        for axis in chosen {
            let extent = (common * Double(axes[axis].input) + 0.5).rounded(.down)
            guard extent < 0x1p31 else { throw Self.tooLarge }
            axes[axis].scale = common
            axes[axis].output = Int(extent)
        }
    }

    private static var tooLarge: SardonyxError {
        SardonyxError(.invalidModel, "a resized axis must have fewer than 2³¹ elements")
    }

    /// ⌊extent · scale⌋ with the product in float, as exporters compute the shapes that they write.
    static func scaled(_ extent: Int, _ scale: Double) throws(SardonyxError) -> Int {
        guard scale.isFinite, scale > 0 else {
            throw SardonyxError(.invalidModel, "a scale is \(scale); it must be more than 0")
        }
        let product = (Float(extent) * Float(scale)).rounded(.down)
        guard product < 0x1p31 else { throw tooLarge }
        return Int(product)
    }

    private static func requireCount(_ name: String, _ count: Int, _ expected: Int) throws(SardonyxError) {
        if count != expected {
            throw SardonyxError(.invalidModel, "\(name) has \(count) numbers; it must have \(expected)")
        }
    }

    /// The axes that scales and sizes speak of.
    static func axes(_ node: Node, rank: Int) throws(SardonyxError) -> [Int] {
        guard let given = node.ints("axes") else { return Array(0..<rank) }
        var result: [Int] = []
        for axis in given { result.append(try normalizedAxis(axis, rank: rank, "axes")) }
        guard Set(result).count == result.count else {
            throw SardonyxError(.invalidModel, "axes are \(given); no axis may appear twice")
        }
        return result
    }
}
