import SardonyxGraph

/// A rewrite of the graph around one node.
package protocol Pass: Sendable {
    /// What the pass does, for `inspect --explain`.
    static var name: String { get }
    /// Whether every value that is left has the bits that it has without the pass, so that it runs where the session's
    /// precision is strict.
    static var keepsRounding: Bool { get }
    /// Looks at one node and returns a patch, a refusal with its reason, or nothing. Never changes the graph.
    static func rewrite(_ site: Site) -> Rewrite
}

/// A node, where it stands, and who is around it.
package struct Site {
    fileprivate let sweep: Sweep
    package let position: Int

    package var graph: Graph { _read { yield sweep.graph } }
    package var index: GraphIndex { _read { yield sweep.index } }

    /// The value that stands for this one once the patches that the sweep has taken so far are applied.
    package func resolve(_ id: ValueID) -> ValueID { sweep.resolve(id) }

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

extension Site {
    /// The node becomes a function of one value.
    package func becomes(_ operatorType: String, of x: ValueID) -> Rewrite {
        var patch = patch("\(operatorType) of '\(graph[x].name)'")
        patch.added = [
            Node(
                operatorType, opset: node.opset, name: node.name, inputs: [x], outputs: node.outputs,
                firstOutputName: node.firstOutputName)
        ]
        return .patch(patch)
    }
}

/// What all sites of one sweep share, and the values that its patches have replaced so far.
private final class Sweep {
    let graph: Graph
    let index: GraphIndex
    private var replaced: [ValueID: ValueID] = [:]

    init(_ graph: Graph, _ index: GraphIndex) {
        self.graph = graph
        self.index = index
    }

    /// - Parameter limit: values from this number on are a patch's own, which get their numbers when it is applied.
    func add(_ patch: Patch, limit: Int) {
        for (old, new) in patch.replaced where Int(new.index) < limit { replaced[old] = resolve(new) }
    }

    func resolve(_ id: ValueID) -> ValueID { replaced.isEmpty ? id : replaced[id] ?? id }
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
        FoldChannelScale.self,
        FoldPad.self,
        FuseConvolutionBias.self,
        FuseProductBias.self,
        RecognizeGelu.self,
        RecognizeHardSwish.self,
        FuseResidual.self,
        FuseActivation.self,
        FuseAttention.self,
    ]

    /// The passes for sessions whose precision is strict.
    package static let strict = standard.filter { $0.keepsRounding }

    /// The passes that follow once shapes are concrete and the others have nothing left to do.
    package static let last: [any Pass.Type] = [MoveUpsampling.self, FuseUpsampling.self, FuseElementwise.self]

    /// Those of them for sessions whose precision is strict.
    package static let strictLast = last.filter { $0.keepsRounding }

    /// Sweeps over the graph at the most; each sweep that changes nothing ends the work.
    private static let maximumSweeps = 50

    let passes: [any Pass.Type]
    /// The passes' names in their order.
    package var passNames: [String] { passes.map { "\($0)" } }
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
        var index = GraphIndex(graph)
        for _ in 0..<Self.maximumSweeps {
            var changed = false
            refused = []
            for pass in passes {
                let (patches, remarks) = sweep(pass, graph, index)
                refused += remarks.filter { !$0.isApplied }
                if patches.isEmpty { continue }
                applied += remarks.filter(\.isApplied)
                graph.apply(patches)
                graph.removeDeadNodes()
                index = GraphIndex(graph)
                changed = true
                if verifies { try graph.verify() }
            }
            if !changed { break }
        }
        return applied + refused
    }

    /// Asks one pass about every node and takes patches that do not touch each other.
    private func sweep(
        _ pass: any Pass.Type, _ graph: Graph, _ index: GraphIndex
    ) -> (patches: [(position: Int, patch: Patch)], remarks: [Remark]) {
        var patches: [(position: Int, patch: Patch)] = []
        var remarks: [Remark] = []
        var gone = Set<Int>()
        var needed = Set<Int>()
        let sweep = Sweep(graph, index)
        for position in graph.nodes.indices where !gone.contains(position) {
            let site = Site(sweep: sweep, position: position)
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
                guard patch.removed.isDisjoint(with: gone), patch.removed.isDisjoint(with: needed),
                    relied.isDisjoint(with: gone)
                else { continue }
                gone.formUnion(patch.removed)
                needed.formUnion(relied)
                patches.append((position, patch))
                sweep.add(patch, limit: graph.values.count)
                remarks.append(Remark(pass: pass.name, node: site.node.displayName, text: patch.label, isApplied: true))
            }
        }
        return (patches, remarks)
    }
}
