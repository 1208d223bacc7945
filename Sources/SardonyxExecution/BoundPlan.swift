import CKernels
import Glibc
import SardonyxCompiler
import SardonyxGraph
import Synchronization

/// A plan with what it needs beside memory: aligned constants, programs of subgraphs, and memory kept between runs.
package final class BoundPlan: Sendable {
    package let plan: Plan
    /// What each result is, where its shape is known before the run.
    package let resultSpecs: [TensorSpec?]
    let environment: Program.Environment
    let constants: [Tensor]
    /// The subgraphs' programs: step → attribute.
    let subprograms: [Int: [String: Program]]
    let kernelCaches: [Int: KernelCache]
    /// What dynamic steps have made of their attributes.
    let kept = Mutex<[Int: any AnyObject & Sendable]>([:])
    /// What runs take; exact when the plan is static.
    package let need: MemoryNeed
    private let idle = Mutex<[RunMemory]>([])
    private let hold: MemoryAccount.Hold

    /// - Parameter graph: what the plan was made from.
    init(_ plan: Plan, _ need: MemoryNeed, _ graph: Graph, _ environment: Program.Environment) throws {
        self.plan = plan
        self.need = need
        resultSpecs = plan.resultTypes.map(\.spec)
        self.environment = environment
        let weights = environment.packedWeights
        let used = plan.usedConstants
        // Constants that kernels have packed stay where they are in the file.
        let constants = try plan.constants.enumerated().map { used.contains($0) ? try weights.aligned($1) : $1 }
        let copies = zip(constants, plan.constants).filter { !$1.isAligned && $0.isAligned }.map(\.0.storage)
        hold = try environment.account.hold(MemoryNeed.shared(plan, graph) + copies)
        self.constants = constants
        try weights.packAll(environment.pool.forEach)
        var subprograms: [Int: [String: Program]] = [:]
        var kernelCaches: [Int: KernelCache] = [:]
        for (index, step) in plan.steps.enumerated() {
            if step.node.hasSubgraphs {
                subprograms[index] = step.node.subgraphAttributes.mapValues {
                    Program($0.graph, environment, isSubgraph: true)
                }
            }
            if case .dynamic(let type) = step.work, !type.execution.isDynamic { kernelCaches[index] = KernelCache() }
        }
        self.subprograms = subprograms
        self.kernelCaches = kernelCaches
    }

    /// Bytes that the memory of runs takes that is kept for the next.
    var memoryByteCount: Int { max(1, idle.withLock(\.count)) * plan.arenaByteCount }

    private func takeMemory() throws -> RunMemory {
        if let memory = idle.withLock({ $0.popLast() }) { return memory }
        while true {
            do { return try environment.account.whileCurrent { try RunMemory(self) } } catch {
                // Plans that wait for their next run make room for one that runs.
                guard environment.account.limit != nil, environment.programs.evictPlan() else { throw error }
            }
        }
    }

    /// What counts the iterations of a run's loops, where they have a limit; a static plan has none.
    private func counted(_ cancellation: Cancellation?) -> Cancellation? {
        cancellation ?? (plan.isStatic || environment.loopLimit == .max ? nil : Cancellation())
    }

    package func run(_ inputs: [Datum], cancellation: Cancellation?, observer: StepObserver?) throws -> [Datum] {
        let cancellation = counted(cancellation)
        var outputs: [Tensor?] = []
        for (index, location) in plan.results.enumerated() {
            if case .output(index) = location, let spec = plan.resultTypes[index].spec {
                outputs.append(try Tensor(uninitialized: spec.dataType, shape: spec.shape))
            } else {
                outputs.append(nil)
            }
        }
        return try withMemory { memory in
            memory.place(inputs)
            let pointers = outputs.map { $0?.storage.base }
            try withExtendedLifetime(outputs) {
                try memory.execute(inputs, outputs: pointers, cancellation: cancellation, observer: observer)
            }
            return try plan.results.indices.map { index in
                let spec = plan.resultTypes[index].spec
                // Another result's value, or a view of it under a shape of its own.
                if case .output(let number) = plan.results[index], let tensor = outputs[number], let spec {
                    return .tensor(Tensor(dataType: spec.dataType, shape: spec.shape, storage: tensor.storage))
                }
                return try memory.datum(at: plan.results[index], spec: spec, inputs, pointers)
            }
        }
    }

    /// Runs into memory of the caller's: every result's shape must be known. Allocates nothing where the plan is static and
    /// a run has ended before.
    /// - Parameters:
    ///   - inputs: the values, for dynamic steps; may be empty where the plan is static.
    ///   - place: sets the addresses of all inputs, aligned and of the planned types, and of all results.
    package func run(
        _ inputs: [Datum],
        place: (
            _ inputs: UnsafeMutableBufferPointer<UnsafeRawPointer?>,
            _ results: UnsafeMutableBufferPointer<UnsafeMutableRawPointer?>
        ) throws -> Void
    ) throws {
        try withMemory { memory in
            try place(memory.inputAddresses, memory.resultAddresses)
            let outputs = UnsafeBufferPointer(memory.resultAddresses)
            try memory.execute(inputs, into: outputs, cancellation: counted(nil), observer: nil)
            for (index, location) in plan.results.enumerated() {
                if case .output(index) = location { continue }
                guard let target = outputs[index], let spec = resultSpecs[index],
                    let source = memory.pointer(at: location, outputs)
                else { throw SardonyxError(.invalidValue, "result \(index) is no tensor") }
                if target != source { memcpy(target, source, spec.byteCount) }
            }
        }
    }

    private func withMemory<R>(_ body: (RunMemory) throws -> R) throws -> R {
        let memory = try takeMemory()
        defer {
            memory.releaseValues()
            idle.withLock { $0.append(memory) }
        }
        return try body(memory)
    }
}

/// Kernels prepared for shapes that a dynamic step has met.
final class KernelCache: Sendable {
    struct Entry: Sendable {
        let inputs: [TensorSpec?]
        let outputs: [TensorSpec?]
        let kernel: Kernel
        let hold: MemoryAccount.Hold
    }
    private let entries = Mutex<[Entry]>([])
    private static let limit = 4

    func find(_ inputs: [TensorSpec?]) -> Entry? {
        entries.withLock { $0.last { $0.inputs == inputs } }
    }

    func insert(_ entry: Entry) {
        entries.withLock { entries in
            entries.append(entry)
            if entries.count > Self.limit { entries.removeFirst() }
        }
    }
}
