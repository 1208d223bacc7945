import CAllocationCount
import SardonyxExecution
import SardonyxGraph
import SardonyxOperators

/// The examples of all operators that are planned: what their kernels allocate when they run again.
struct OperatorCheck {
    private(set) var kernels = 0
    private(set) var failures: [String] = []
    private(set) var stacks: [String] = []
    private let pool: WorkerPool

    init() throws {
        pool = try WorkerPool.make(threads: 2)
        for type in OperatorRegistry.standard.all where !type.execution.isDynamic {
            for example in type.examples {
                let tensors = (example.inputs + example.outputs).compactMap { $0 }
                if tensors.contains(where: { $0.dataType == .string }) { continue }
                // Inputs that are constants are often packed, and run otherwise than those that are not.
                for areConstants in [false, true] { try check(type, example, areConstants: areConstants) }
            }
        }
    }

    private mutating func check(_ type: any Operator.Type, _ example: Example, areConstants: Bool) throws {
        let node = Node(
            type.schema.name, domain: type.schema.domain, opset: 28,
            inputs: example.inputs.indices.map { example.inputs[$0] == nil ? nil : ValueID($0) },
            outputs: example.outputs.indices.map { example.outputs[$0] == nil ? nil : ValueID(1000 + $0) },
            attributes: example.attributes)
        let inputs = try example.inputs.map { try $0?.aligned() }
        let outputs = try example.outputs.map { try $0.map { try Tensor(dataType: $0.dataType, shape: $0.shape) } }
        let kernel: Kernel
        do {
            kernel = try type.prepare(
                PreparationContext(
                    node: node, inputs: inputs.map { $0?.spec }, outputs: outputs.map { $0?.spec },
                    constants: areConstants ? inputs : inputs.map { _ in nil }, workers: pool.threads,
                    packedWeights: PackedWeights()))
        } catch let error as SardonyxError where error.code == .unsupported {
            return
        }
        if kernel.isView(of: outputs.map { $0 != nil }) { return }
        kernels += 1
        let workspace = try TensorStorage(byteCount: kernel.workspaceByteCount)
        let sources = inputs.map { UnsafeRawPointer($0?.storage.base) } + [nil]
        let targets = outputs.map { $0?.storage.base } + [nil]
        let calls = try sources.withUnsafeBufferPointer { sources in
            try targets.withUnsafeBufferPointer { targets -> UInt64 in
                guard let first = sources.baseAddress, let last = targets.baseAddress else { return 0 }
                // SAFETY: inputs, outputs and workspace are as the kernel was made for, and live to the end.
                let frame = Frame(inputs: first, outputs: last, workspace: workspace.base, pool: pool.pointer)
                return try withExtendedLifetime((inputs, outputs, workspace)) {
                    for _ in 0..<2 { try kernel.run(frame) }
                    allocation_count_begin()
                    for _ in 0..<10 { try kernel.run(frame) }
                    return allocation_count_end()
                }
            }
        }
        if calls > 0 {
            let inputs = areConstants ? "constants" : "inputs"
            failures.append("\(type.schema.qualifiedName), \(example.title), of \(inputs): \(calls) in 10 runs")
            stacks += CallStack.recorded(limit: 1).map(\.text)
        }
    }
}
