import SardonyxGraph

/// A rewrite of the graph around one node.
package protocol Pass: Sendable {
    /// What the pass does, for `inspect --explain`.
    static var name: String { get }
    /// Looks at one node and returns a patch, a refusal with its reason, or nothing. Never changes the graph.
    static func rewrite(_ site: Site) -> Rewrite
}

/// A node, where it stands, and who is around it.
package struct Site {
    package let graph: Graph
    package let index: GraphIndex
    package let position: Int
    /// What patches of this sweep have replaced so far.
    fileprivate let replacements: Replacements

    /// The value that stands for this one once the patches that the sweep has taken so far are applied.
    package func resolve(_ id: ValueID) -> ValueID { replacements.resolve(id) }

    package var node: Node { graph.nodes[position] }

    /// The position and node that make a value.
    package func producer(of id: ValueID?) -> (position: Int, node: Node)? {
        guard let id, let position = index.producer(of: id) else { return nil }
        return (position, graph.nodes[position])
    }

    package func constant(_ id: ValueID?) -> Tensor? { id.flatMap { graph.constants[$0] } }

    package func patch(_ label: String, removing positions: Set<Int>? = nil) -> Patch {
        Patch(label, on: graph, removing: positions ?? [position])
    }
}

/// Values that the patches of one sweep have replaced.
private final class Replacements {
    private var replaced: [ValueID: ValueID] = [:]

    /// - Parameter limit: values from this number on are a patch's own, which get their numbers when it is applied.
    func add(_ patch: Patch, limit: Int) {
        for (old, new) in patch.replaced where Int(new.index) < limit { replaced[old] = resolve(new) }
    }

    func resolve(_ id: ValueID) -> ValueID { replaced[id] ?? id }
}

/// Runs passes to a fixpoint.
package struct Optimizer {
    /// What a pass did or would not do, for `inspect --explain`.
    package struct Remark: Sendable, Hashable {
        package let pass: String
        package let node: String
        package let text: String
        package let isApplied: Bool
    }

    /// The passes in their order.
    package static let standard: [any Pass.Type] = [
        RemoveIdentity.self,
        InlineConstantIf.self,
        MergeCommonSubexpressions.self,
        FoldBatchNormalization.self,
        FoldPad.self,
        FuseConvolutionBias.self,
        FuseActivation.self,
    ]

    /// Sweeps over the graph at the most; each sweep that changes nothing ends the work.
    private static let maximumSweeps = 50

    let passes: [any Pass.Type]
    /// Whether the graph is verified after each pass that changed it: in debug builds, so in all tests.
    let verifies: Bool

    package init(passes: [any Pass.Type] = Optimizer.standard) {
        self.passes = passes
        #if DEBUG
            verifies = true
        #else
            verifies = false
        #endif
    }

    package func run(on graph: inout Graph) throws -> [Remark] {
        var applied: [Remark] = []
        var refused: [Remark] = []
        graph.removeDeadNodes()
        for _ in 0..<Self.maximumSweeps {
            var changed = false
            refused = []
            for pass in passes {
                let (patches, remarks) = sweep(pass, graph)
                refused += remarks.filter { !$0.isApplied }
                if patches.isEmpty { continue }
                applied += remarks.filter(\.isApplied)
                graph.apply(patches)
                graph.removeDeadNodes()
                changed = true
                if verifies { try graph.verify() }
            }
            if !changed { break }
        }
        return applied + refused
    }

    /// Asks one pass about every node and takes patches that do not touch each other.
    private func sweep(
        _ pass: any Pass.Type, _ graph: Graph
    ) -> (patches: [(position: Int, patch: Patch)], remarks: [Remark]) {
        let index = GraphIndex(graph)
        var patches: [(position: Int, patch: Patch)] = []
        var remarks: [Remark] = []
        var gone = Set<Int>()
        var needed = Set<Int>()
        let replacements = Replacements()
        for position in graph.nodes.indices where !gone.contains(position) {
            let site = Site(graph: graph, index: index, position: position, replacements: replacements)
            switch pass.rewrite(site) {
            case .none: break
            case .refused(let reason):
                remarks.append(Remark(pass: pass.name, node: site.node.displayName, text: reason, isApplied: false))
            case .patch(let patch):
                var relied = Set<Int>()
                func rely(_ id: ValueID) {
                    if Int(id.index) < index.producers.count, let maker = index.producer(of: id) {
                        relied.insert(maker)
                    }
                }
                for node in patch.added { node.forEachUse(rely) }
                for id in patch.replaced.values { rely(id) }
                relied.subtract(patch.removed)
                // The next sweep meets what this one leaves.
                if !patch.removed.isDisjoint(with: gone.union(needed)) || !relied.isDisjoint(with: gone) { continue }
                gone.formUnion(patch.removed)
                needed.formUnion(relied)
                patches.append((position, patch))
                replacements.add(patch, limit: graph.values.count)
                remarks.append(Remark(pass: pass.name, node: site.node.displayName, text: patch.label, isApplied: true))
            }
        }
        return (patches, remarks)
    }
}
