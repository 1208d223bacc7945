import Sardonyx
import SardonyxImaging

/// A box in voxels of the network's input, along its last two axes: x the last, y the one before.
struct NetworkBox: Sendable, Equatable {
    var index: Int
    var name: String
    var score: Double
    var x: ClosedRange<Double>
    var y: ClosedRange<Double>

    /// Intersection over union.
    func overlap(_ other: NetworkBox) -> Double {
        let width = min(x.upperBound, other.x.upperBound) - max(x.lowerBound, other.x.lowerBound)
        let height = min(y.upperBound, other.y.upperBound) - max(y.lowerBound, other.y.lowerBound)
        guard width > 0, height > 0 else { return 0 }
        return width * height / (area + other.area - width * height)
    }

    private var area: Double { (x.upperBound - x.lowerBound) * (y.upperBound - y.lowerBound) }
}

extension Pipeline.Detection {
    /// The boxes of a model's outputs that are good enough and not one another's doubles, the best first.
    ///
    /// - Parameter size: height and width of the network's input.
    /// - Throws: `PipelineFailure` `.badModel` for outputs that are missing or do not fit together.
    func boxes(_ outputs: [String: Tensor], size: ArraySlice<Int>, _ pipeline: Pipeline) throws -> [NetworkBox] {
        let (height, width) = (Double(size.first ?? 1), Double(size.last ?? 1))
        let places = try floats(outputs, boxes)
        let scores = try floats(outputs, scores)
        let named = try classes.map { try integers(outputs, $0) }
        let count = places.count / 4
        let (shape, scored) = (try tensor(outputs, boxes).shape, try tensor(outputs, self.scores).shape)
        let perBox = count > 0 ? scores.count / count : 0
        // Never the other way round: [4, boxes] holds as many numbers.
        guard shape.suffix(2) == [count, 4], scores.count == count * perBox,
            count == 0 || perBox == 1 && scored.last == count || scored.suffix(2) == [count, perBox],
            named.map({ $0.count == count && scores.count == count }) ?? true
        else {
            throw PipelineFailure(
                .badModel,
                "the model gives boxes of the shape \(shape) and scores of \(scored)\(named.map { " and \($0.count) classes" } ?? ""); "
                    + "expected [boxes, 4] and [boxes] or [boxes, classes], with 1 before or without")
        }
        var found: [NetworkBox] = []
        for box in 0..<count {
            for index in 0..<perBox {
                let score = Double(scores[box * perBox + index])
                guard score >= scoreThreshold else { continue }
                let label = named.map { $0[box] } ?? index
                var v = (0..<4).map { Double(places[box * 4 + $0]) }
                guard v.allSatisfy(\.isFinite) else { continue }
                if areCentres { v = [v[0] - v[2] / 2, v[1] - v[3] / 2, v[0] + v[2] / 2, v[1] + v[3] / 2] }
                if areRelative { v = [v[0] * width, v[1] * height, v[2] * width, v[3] * height] }
                found.append(
                    NetworkBox(
                        index: label, name: pipeline.className(label), score: score,
                        x: min(v[0], v[2])...max(v[0], v[2]), y: min(v[1], v[3])...max(v[1], v[3])))
            }
        }
        // Of equals the first of the model's.
        let order = found.indices.sorted {
            found[$0].score > found[$1].score || found[$0].score == found[$1].score && $0 < $1
        }
        var kept: [NetworkBox] = []
        for index in order where kept.count < limit {
            let box = found[index]
            if !kept.contains(where: { $0.index == box.index && $0.overlap(box) > overlapThreshold }) {
                kept.append(box)
            }
        }
        return kept
    }

    private func tensor(_ outputs: [String: Tensor], _ name: String) throws -> Tensor {
        guard let tensor = outputs[name] else {
            throw PipelineFailure(
                .badModel,
                "the model has no output '\(name)'; it has \(outputs.keys.sorted().map { "'\($0)'" }.joined(separator: ", "))"
            )
        }
        return tensor
    }

    private func floats(_ outputs: [String: Tensor], _ name: String) throws -> [Float] {
        let tensor = try tensor(outputs, name)
        guard tensor.dataType == .float else {
            throw PipelineFailure(.badModel, "output '\(name)' is \(tensor.dataType.name), expected float")
        }
        return tensor.scalars()
    }

    private func integers(_ outputs: [String: Tensor], _ name: String) throws -> [Int] {
        let tensor = try tensor(outputs, name)
        switch tensor.dataType {
        case .int64: return tensor.scalars(Int64.self).map { Int($0) }
        case .int32: return tensor.scalars(Int32.self).map { Int($0) }
        case .float: return tensor.scalars(Float.self).map { Int(exactly: $0.rounded()) ?? 0 }
        default: throw PipelineFailure(.badModel, "output '\(name)' is \(tensor.dataType.name), expected whole numbers")
        }
    }
}

/// From the network's input back to voxels of the source.
struct SourcePoint {
    private let grid: WorkingGrid
    private let layout: TileLayout
    private let start: [Int]

    /// - Parameter start: where the tile begins along x, y, z.
    init(_ grid: WorkingGrid, _ layout: TileLayout, _ start: [Int]) {
        self.grid = grid
        self.layout = layout
        self.start = start
    }

    /// Where a position along the network's axis `axis` (edges: 0 is the first voxel's outer face) lies along the
    /// source's, which is also returned.
    private func position(_ value: Double, _ axis: Int) -> (axis: Int, value: Double) {
        let w = grid.networkAxis.firstIndex(of: axis) ?? 0
        // Faces count from 0, voxel centres lie half a voxel further.
        let index = value - 0.5 + Double(start[w])
        let inside = grid.forward[w].scale * index + grid.forward[w].offset + Double(grid.crop.lower[w])
        return (grid.sourceAxis[w], grid.isReversed[w] ? Double(grid.sourceDims[w] - 1) - inside : inside)
    }

    func box(_ box: NetworkBox) -> DetectedBox {
        var lower = SIMD3<Double>(0, 0, 0)
        var upper = SIMD3<Double>(0, 0, 0)
        // The slice that a flat network saw has its middle at half a voxel.
        for (range, axis) in [(box.x, 2), (box.y, 1), (0.5...0.5, 0)] {
            let (a, b) = (position(range.lowerBound, axis), position(range.upperBound, axis))
            lower[a.axis] = min(a.value, b.value)
            upper[a.axis] = max(a.value, b.value)
        }
        return DetectedBox(index: box.index, name: box.name, score: box.score, lower: lower, upper: upper)
    }
}
