/// One change of a label volume after the network. Labels empty means each of them, one by one; 0 is the background.
public enum LabelCleaning: Sendable, Equatable {
    /// Only the largest connected part of each label stays, of equals the first in memory; the rest becomes 0.
    case largestComponent(labels: Set<UInt16> = [], connectivity: Connectivity = .faces)
    /// Connected parts of less than so many mm³ become 0.
    case minimumVolume(cubicMillimetres: Double, labels: Set<UInt16> = [], connectivity: Connectivity = .faces)
    /// A part of the background (connected by faces) that does not touch the border of the volume and whose face
    /// neighbours all have one label becomes that label. Where a volume holds one label, that is SciPy's
    /// `binary_fill_holes`. A hole between two labels stays, as does one that holds an island of another label. An axis
    /// of one voxel has no border: a picture is filled as in two dimensions.
    case fillHoles(labels: Set<UInt16> = [])

    /// Applies steps in order to a volume in place, each in one pass over its slices and, if anything changes, another.
    ///
    /// Memory, whatever the number of slices: 2 bytes a voxel of two slices (three while one is written) where the store
    /// does not hold runs, 16 bytes a run of three slices (four for holes), and the tables of `StreamingComponents`.
    ///
    /// - Parameters:
    ///   - steps: What to do.
    ///   - store: The labels.
    ///   - voxelVolume: Of one voxel, in mm³.
    ///   - tableLimit: Bytes that the tables of one step may take.
    /// - Returns: How many voxels each step changed.
    /// - Throws: `ImagingError` `.tooLarge` when the labels fall into too many parts; what the store throws.
    @discardableResult
    public static func apply(
        _ steps: [LabelCleaning], to store: some SliceStore, voxelVolume: Double,
        tableLimit: Int = StreamingComponents.defaultTableLimit
    ) throws -> [Int] {
        try store.checkSize()
        let dims = store.dims
        var changedRuns = LabelRuns(width: dims.x, height: dims.y)
        return try steps.map { step in
            var components = step.components(dims, tableLimit)
            for _ in 0..<dims.z { try components.add(from: store) }
            components.finish()
            let replacements = step.replacements(components.parts, dims, voxelVolume)
            let changed = zip(components.parts, replacements).reduce(0) { $0 + ($1.0.label == $1.1 ? 0 : $1.0.size) }
            if changed == 0 { return 0 }
            for k in 0..<dims.z {
                try components.relabel(from: store)
                if replace(components.current, replacements, into: &changedRuns) {
                    try store.write(slice: k, from: changedRuns)
                }
            }
            return changed
        }
    }

    /// Gives each run the label of its part; false when that is what it has.
    private static func replace(_ runs: LabelRuns, _ labels: [UInt16], into changed: inout LabelRuns) -> Bool {
        let isChanged = runs.runs.contains { $0.number >= 0 && labels[Int($0.number)] != $0.label }
        if !isChanged { return false }
        changed.runs.removeAll(keepingCapacity: true)
        for j in 0..<runs.height {
            for run in runs.runs[runs.rows[j]..<runs.rows[j + 1]] {
                let label = run.number >= 0 ? labels[Int(run.number)] : run.label
                if label != 0 { changed.append(run.start, run.end, label, row: j) }
            }
            changed.endRow(j)
        }
        return true
    }

    private func components(_ dims: SIMD3<Int>, _ limit: Int) -> StreamingComponents {
        switch self {
        case .largestComponent(let labels, let connectivity), .minimumVolume(_, let labels, let connectivity):
            StreamingComponents(dims: dims, connectivity: connectivity, labels: labels, tableLimit: limit)
        case .fillHoles:
            StreamingComponents(dims: dims, connectivity: .faces, tracking: .background, tableLimit: limit)
        }
    }

    /// The label that each part gets.
    private func replacements(_ parts: [StreamingComponents.Part], _ dims: SIMD3<Int>, _ voxelVolume: Double)
        -> [UInt16]
    {
        switch self {
        case .largestComponent:
            var largest: [UInt16: Int] = [:]
            for (index, part) in parts.enumerated() {
                if let best = largest[part.label], parts[best].size >= part.size { continue }
                largest[part.label] = index
            }
            return parts.enumerated().map { largest[$1.label] == $0 ? $1.label : 0 }
        case .minimumVolume(let least, _, _):
            // Rounding must not drop a part of exactly the volume asked for.
            return parts.map { Double($0.size) * voxelVolume < least * (1 - 1e-9) ? 0 : $0.label }
        case .fillHoles(let labels):
            let last = SIMD3<Int32>(truncatingIfNeeded: dims &- 1)
            return parts.map { part in
                let isOpen = any((part.lower .== 0 .| part.upper .== last) .& (last .> 0))
                guard !isOpen, let label = UInt16(exactly: part.neighbour) else { return 0 }
                return labels.isEmpty || labels.contains(label) ? label : 0
            }
        }
    }
}
