import CAllocationCount
import Glibc
import Sardonyx
import SardonyxTestModels

/// One model run on several numbers of threads: what it allocates once warm, and whether the bits stay the same.
struct ModelCheck {
    static let threads = [1, 2, 3, 7]

    private(set) var isDynamic = false
    /// In how many runs how many calls.
    private(set) var runs = 0
    private(set) var allocations = 0
    /// Where the first of them came from, as text.
    private(set) var stacks: [String] = []
    /// The numbers of threads whose outputs differ from one thread's, or from run to run.
    private(set) var differing: Set<Int> = []

    /// Whether a child of this process gives the same bits.
    private(set) var worksForked = false

    var holds: Bool { differing.isEmpty && worksForked && (isDynamic || allocations == 0) }

    var summary: String {
        let counted =
            allocation_count_works() ? "\(allocations) allocations in \(runs) runs" : "allocations not counted"
        let bits =
            differing.isEmpty
            ? "the same bits on \(Self.threads.map(String.init).joined(separator: ", ")) threads"
            : "other bits on \(differing.sorted().map(String.init).joined(separator: ", ")) threads"
        return (isDynamic ? "dynamic, " : "") + counted + ", " + bits + (worksForked ? "" : ", not after a fork")
    }

    init(path: String, inputs arguments: [String]) throws {
        let model = try Model(contentsOf: path)
        let inputs = try model.inputs(arguments)
        var expected: [String: Datum] = [:]
        for threads in Self.threads {
            var options = Session.Options()
            options.threads = .count(threads)
            let session = try Session(model, options: options)
            let results = try session.runValues(inputs)
            if threads == 1 {
                expected = results
                isDynamic = try !session.boundPlan(for: inputs).plan.isStatic
            }
            // Ten where a pool is at work; elsewhere enough to see a difference.
            let count = threads == 2 ? 10 : 2
            let last = try run(session, inputs, like: results, count)
            if !expected.hasSameBits(results) || !expected.hasSameBits(last) { differing.insert(threads) }
            if threads == 2 {
                worksForked = Self.forked { try expected.hasSameBits(session.runValues(inputs)) }
            }
        }
    }

    /// Whether `body` gives true in a child process, which has none of this one's threads.
    private static func forked(_ body: () throws -> Bool) -> Bool {
        // Swift hides `fork`, since a child may meet a lock that nobody will open; here nothing else runs.
        guard let symbol = dlsym(nil, "fork") else { return false }
        let child = unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)()
        if child == 0 {
            // A child that waits for a thread that does not exist must not wait for ever.
            alarm(300)
            _exit((try? body()) == true ? 0 : 1)
        }
        var status: Int32 = -1
        return child > 0 && waitpid(child, &status, 0) == child && status == 0
    }

    /// Warms the session up, counts over some runs, and returns the last one's results.
    private mutating func run(
        _ session: Session, _ inputs: [String: Datum], like results: [String: Datum], _ count: Int
    ) throws -> [String: Datum] {
        if isDynamic {
            var last = try session.runValues(inputs)
            allocation_count_begin()
            for _ in 0..<count { last = try session.runValues(inputs) }
            note(allocation_count_end(), count)
            return last
        }
        let tensors = inputs.compactMapValues(\.tensor)
        // Zeros, so that what a run leaves out shows.
        var outputs = try results.compactMapValues(\.tensor)
            .mapValues { try Tensor(dataType: $0.dataType, shape: $0.shape) }
        for _ in 0..<2 { try session.run(tensors, into: &outputs) }
        allocation_count_begin()
        for _ in 0..<count { try session.run(tensors, into: &outputs) }
        note(allocation_count_end(), count)
        return outputs.mapValues(Datum.tensor)
    }

    private mutating func note(_ calls: UInt64, _ count: Int) {
        if allocations == 0 && calls > 0 { stacks = CallStack.recorded(limit: 6).map(\.text) }
        allocations += Int(calls)
        runs += count
    }
}

extension [String: Datum] {
    fileprivate func hasSameBits(_ other: Self) -> Bool {
        count == other.count && allSatisfy { name, value in other[name].map(value.hasSameBits) == true }
    }
}

extension Datum {
    /// Whether the values are alike to the last bit.
    fileprivate func hasSameBits(_ other: Datum) -> Bool {
        switch (self, other) {
        case (.tensor(let a), .tensor(let b)):
            guard a.dataType == b.dataType, a.shape == b.shape, a.strings == b.strings else { return false }
            return a.withUnsafeBytes { a in
                b.withUnsafeBytes { b in
                    guard let left = a.baseAddress, let right = b.baseAddress else { return a.count == b.count }
                    return a.count == b.count && memcmp(left, right, a.count) == 0
                }
            }
        case (.sequence(let a), .sequence(let b)):
            return a.count == b.count && zip(a, b).allSatisfy { $0.hasSameBits($1) }
        case (.optional(let a), .optional(let b)):
            guard let a, let b else { return a == nil && b == nil }
            return a.hasSameBits(b)
        case (.map(let a), .map(let b)):
            return a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value.hasSameBits($1.value) }
        default: return false
        }
    }
}

extension Model {
    /// The inputs that a run needs, and those that it may have and that are given, from NAME=FILE and NAME=1,3,224,224,
    /// or drawn.
    fileprivate func inputs(_ arguments: [String]) throws -> [String: Datum] {
        var random = SeededGenerator(seed: 0)
        var values: [String: Datum] = [:]
        for port in Array(inputs) + Array(optionalInputs) {
            // Names may hold "=" too.
            let argument = arguments.first { $0.hasPrefix(port.name + "=") }
            if argument == nil && optionalInputs[port.name] != nil { continue }
            let given = argument?.dropFirst(port.name.count + 1) ?? ""
            if given.contains(".") {
                values[port.name] = try Datum(contentsOf: String(given), as: port)
                continue
            }
            guard let type = port.dataType else {
                throw SardonyxError(.invalidInput, "input '\(port.name)' must be given")
            }
            let shape =
                given.isEmpty
                ? (port.shape ?? []).map { $0.value ?? 1 } : given.split(separator: ",").compactMap { Int($0) }
            values[port.name] = .tensor(try random.tensor(type, shape))
        }
        return values
    }
}

extension SeededGenerator {
    /// Numbers between -2 and 2, or ones in types that are not floating-point.
    fileprivate mutating func tensor(_ type: DataType, _ shape: [Int]) throws -> Tensor {
        var tensor = try Tensor(dataType: type, shape: shape)
        func number() -> Double { Double(below(4001)) / 1000 - 2 }
        switch type {
        case .float: return Tensor(shape: shape, scalars: (0..<tensor.count).map { _ in Float(number()) })
        case .double: return Tensor(shape: shape, scalars: (0..<tensor.count).map { _ in number() })
        case .float16: return Tensor(shape: shape, scalars: (0..<tensor.count).map { _ in Float16(number()) })
        default:
            let size = type.byteCount
            try tensor.withUnsafeMutableBytes { bytes in
                for index in bytes.indices where index % size == 0 { bytes[index] = 1 }
            }
            return tensor
        }
    }
}
