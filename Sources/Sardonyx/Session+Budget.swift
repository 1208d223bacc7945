import SardonyxExecution
import SardonyxGraph

/// Plans within the memory budget, and what would fit where one is not.
extension Session {
    /// The plan for values of these types.
    /// - Throws: `SardonyxError` (`memory`) with the figures, and with shapes that the budget allows.
    func plan(_ program: Program, _ types: [ValueType], cancellation: Cancellation? = nil) throws -> BoundPlan {
        do {
            return try program.plan(for: types) { try cancellation?.check() }
        } catch let refusal as OverBudget {
            var error = refusal.error
            error.message += "; a budget of \(refusal.need.total + refusal.held) would do"
            if let shape = fitting(program, types, within: refusal.limit - refusal.held) {
                error.message += ", and so would \(shape)"
            }
            throw error
        }
    }

    /// Extents for the model's named dimensions with which a run would fit, the largest of those that are tried.
    private func fitting(_ program: Program, _ types: [ValueType], within limit: Int) -> String? {
        // A batch shrinks by itself, the axes of an image together.
        let symbols = extents(of: types)
        let image = symbols.filter { $0.extent >= Self.imageExtent }
        let groups = symbols.filter { (2..<Self.imageExtent).contains($0.extent) }.map { [$0] } + [image]
        for group in groups where !group.isEmpty {
            for eighths in stride(from: 7, through: 1, by: -1) {
                var smaller: [String: Int] = [:]
                for (name, extent) in group {
                    let part = extent / 8 * eighths + extent % 8 * eighths / 8
                    // Networks with several scales want multiples.
                    smaller[name] = extent >= Self.imageExtent ? part / 16 * 16 : part
                }
                guard smaller.values.allSatisfy({ $0 > 0 }) else { break }
                guard let need = try? program.preview(for: resized(types, smaller)).need, need.total <= limit else {
                    continue
                }
                return group.map { "\($0.name) = \(smaller[$0.name] ?? $0.extent)" }.joined(separator: ", ")
            }
        }
        return nil
    }

    /// Extents from here on are those of images, below of batches.
    private static let imageExtent = 32

    /// The named dimensions' extents, in the order of the inputs and their axes.
    private func extents(of types: [ValueType]) -> [(name: String, extent: Int)] {
        var symbols: [(name: String, extent: Int)] = []
        for (port, type) in zip(model.inputs, types) {
            guard let shape = type.shape?.fixed else { continue }
            for case (.symbol(let name), let extent) in zip(port.shape ?? [], shape)
            where !symbols.contains(where: { $0.name == name }) {
                symbols.append((name, extent))
            }
        }
        return symbols
    }

    private func resized(_ types: [ValueType], _ extents: [String: Int]) -> [ValueType] {
        zip(model.inputs, types).map { port, type in
            guard let dataType = type.dataType, let shape = type.shape, let declared = port.shape else { return type }
            let resized = zip(declared, shape).map { dimension, given -> Dimension in
                if case .symbol(let name) = dimension, let extent = extents[name] { .fixed(extent) } else { given }
            }
            return .tensor(dataType, resized)
        } + types.dropFirst(model.inputs.count)
    }
}
