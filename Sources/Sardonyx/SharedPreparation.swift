import SardonyxCompiler
import SardonyxExecution
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

        init(_ model: Model, _ optimizer: Optimizer, foldingLimit: Int, pool: WorkerPool) throws {
            var graph = model.loaded.graph
            remarks = try SharedPreparation.rewrite(
                &graph, optimizer, model.registry, foldingLimit: foldingLimit, pool: pool)
            self.graph = graph
        }
    }

    /// What a rewritten graph depends on.
    private struct Key: Hashable {
        let passes: [String]
        let foldingLimit: Int
    }

    private struct Entry {
        weak var rewritten: Rewritten?
    }

    let packedWeights = PackedWeights(isDeferred: true)
    private let entries = Mutex<[Key: Entry]>([:])

    /// The model's graph, rewritten once for all sessions that want it so.
    func graph(of model: Model, _ optimizer: Optimizer, foldingLimit: Int, pool: WorkerPool) throws -> Rewritten {
        let key = Key(passes: optimizer.passNames, foldingLimit: foldingLimit)
        return try entries.withLock { entries in
            if let rewritten = entries[key]?.rewritten { return rewritten }
            let rewritten = try Rewritten(model, optimizer, foldingLimit: foldingLimit, pool: pool)
            entries[key] = Entry(rewritten: rewritten)
            return rewritten
        }
    }

    /// Infers types, folds and runs the passes.
    @discardableResult
    static func rewrite(
        _ graph: inout Graph, _ optimizer: Optimizer, _ registry: OperatorRegistry, foldingLimit: Int, pool: WorkerPool
    ) throws -> [Optimizer.Remark] {
        var inference = TypeInference(registry: registry)
        inference.foldingLimit = foldingLimit
        (inference.pool, inference.workers) = (pool.pointer, pool.threads)
        try inference.run(on: &graph)
        return try optimizer.run(on: &graph)
    }
}
