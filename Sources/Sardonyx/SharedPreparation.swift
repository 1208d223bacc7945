import SardonyxCompiler
import SardonyxGraph
import SardonyxOperators
import Synchronization

/// What all sessions of a model share while any of them lives: rewritten graphs and packed weights.
final class SharedPreparation: Sendable {
    /// A graph after its passes.
    final class Rewritten: Sendable {
        let graph: Graph
        /// What the passes did and would not do.
        let remarks: [Optimizer.Remark]

        init(_ source: Graph, _ optimizer: Optimizer) throws {
            var graph = source
            try TypeInference(registry: .engine).run(on: &graph)
            remarks = try optimizer.run(on: &graph)
            self.graph = graph
        }
    }

    private struct Entry {
        weak var rewritten: Rewritten?
    }

    let packedWeights = PackedWeights(isDeferred: true)
    /// By the names of the passes.
    private let entries = Mutex<[[String]: Entry]>([:])

    /// The model's graph, rewritten once for all sessions that want it so.
    func graph(of model: Model, _ optimizer: Optimizer) throws -> Rewritten {
        let passes = optimizer.passNames
        return try entries.withLock { entries in
            if let rewritten = entries[passes]?.rewritten { return rewritten }
            let rewritten = try Rewritten(model.loaded.graph, optimizer)
            entries[passes] = Entry(rewritten: rewritten)
            return rewritten
        }
    }
}
