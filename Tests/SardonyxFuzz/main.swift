// SardonyxFuzz FIRST COUNT [operators]: damaged models, number FIRST to FIRST + COUNT - 1, each opened, planned and run;
// with "operators", models of one operator after the other with what nobody should give it.
//
// Prints each number before its model is touched, so that the last number printed is the one that trapped; the seed's
// name follows on request (SARDONYX_FUZZ_WRITE=FILE writes the last damaged model there too). Exits 1 at an error that
// is no SardonyxError, and by a signal at a trap; of one operator's model also at an error of planning or running that
// names no node. The last line is "N models: L loaded, R run", before it with "operators" the names of those of which
// none ran.
import Glibc
import Sardonyx
import SardonyxExecution
import SardonyxTestModels
import Synchronization

func say(_ text: String) {
    let bytes = Array(text.utf8) + [0x0A]
    _ = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
}

/// Ends runs that take long, and the process when that does not help.
enum Watchdog {
    private static let current = Mutex<Cancellation?>(nil)
    private static let deadline = Atomic<UInt64>(.max)
    /// In nanoseconds: what a run may take, and what opening, planning and running may after that.
    private static let budget: UInt64 = 200_000_000
    private static let patience: UInt64 = 120_000_000_000

    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    static func watch(_ cancellation: Cancellation) {
        current.withLock { $0 = cancellation }
        deadline.store(now + budget, ordering: .relaxed)
    }

    static func start() {
        Task.detached {
            while true {
                try? await Task.sleep(for: .milliseconds(10))
                let end = deadline.load(ordering: .relaxed)
                if end == .max || now < end { continue }
                current.withLock { $0 }?.cancel()
                if now > end + patience {
                    say("stuck")
                    abort()
                }
            }
        }
    }
}

/// A bound on memory: what asks for more gets none. Not under AddressSanitizer, whose own map is larger than any bound.
func limitMemory() {
    guard dlsym(nil, "__asan_init") == nil else { return }
    var limit = rlimit(rlim_cur: 4 << 30, rlim_max: 4 << 30)
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
}

/// The model's inputs filled with small numbers; nil when one is no tensor or is large.
func makeInputs(_ model: Model, _ random: inout SeededGenerator) -> [String: Tensor]? {
    var symbols: [String: Int] = [:]
    var inputs: [String: Tensor] = [:]
    for port in model.inputs {
        guard let type = port.dataType else { return nil }
        var shape: [Int] = []
        for dimension in port.shape ?? [.fixed(2)] {
            switch dimension {
            case .fixed(let extent): shape.append(extent)
            case .unknown: shape.append(1 + random.below(3))
            case .symbol(let name):
                let extent = symbols[name] ?? random.below(4)
                symbols[name] = extent
                shape.append(extent)
            }
        }
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if overflow || product > 1 << 16 { return nil }
            count = product
        }
        guard var tensor = try? Tensor(dataType: type, shape: shape) else { return nil }
        if type == .float {
            tensor = Tensor(shape: shape, scalars: (0..<count).map { _ in Float(random.below(9)) / 2 - 2 })
        } else if type == .int64 {
            tensor = Tensor(shape: shape, scalars: (0..<count).map { _ in Int64(random.below(7) - 2) })
        } else if type != .bool {
            // Any bytes will do; in memory a bool is 0 or 1.
            try? tensor.withUnsafeMutableBytes { bytes in
                for index in bytes.indices { bytes[index] = type == .string ? 0 : UInt8(random.below(4)) }
            }
        }
        inputs[port.name] = tensor
    }
    return inputs
}

enum Outcome { case refused, loaded, run }

/// An error that does not tell where it happened.
struct Placeless: Error { let error: SardonyxError }

func attempt(_ bytes: [UInt8], _ random: inout SeededGenerator, _ given: [String: Tensor]? = nil) throws -> Outcome {
    let cancellation = Cancellation()
    Watchdog.watch(cancellation)
    var outcome = Outcome.refused
    do {
        let model = try bytes.withUnsafeBytes { try Model(bytes: $0) }
        outcome = .loaded
        var options = Session.Options()
        options.threads = .count(1)
        options.optimizes = random.chance(70)
        let session = try Session(model, options: options)
        guard let inputs = given ?? makeInputs(model, &random) else { return outcome }
        let plan = try session.plan(for: inputs.mapValues(\.shape))
        let results = plan.plan.resultTypes.reduce(0) { $0 + ($1.spec?.byteCount ?? 0) }
        guard plan.peakMemory.byteCount + results < 64 << 20 else { return outcome }
        Watchdog.watch(cancellation)
        _ = try session.runValues(inputs.mapValues(Datum.tensor), cancellation: cancellation)
        outcome = .run
    } catch let error as SardonyxError {
        if let given, error.code != .cancelled, error.operatorType == nil {
            // What opening finds is a list of nodes; an input that is not as the file says is named; and the memory of a
            // whole run is no node's fault.
            let isPlaced =
                outcome == .refused || given.keys.contains { error.message.contains("'\($0)'") }
                || error.code == .memory
            if !isPlaced { throw Placeless(error: error) }
        }
        return outcome
    }
    return outcome
}

guard CommandLine.arguments.count == 3 || CommandLine.arguments.dropFirst(3) == ["operators"],
    let first = Int(CommandLine.arguments[1]),
    let count = Int(CommandLine.arguments[2])
else {
    say("usage: SardonyxFuzz FIRST COUNT [operators]")
    exit(2)
}
limitMemory()
Watchdog.start()
let file = getenv("SARDONYX_FUZZ_WRITE").map { String(cString: $0) }
let isOfOperators = CommandLine.arguments.count > 3
var loaded = 0
var run = 0
var unreached = Set(isOfOperators ? OperatorCases.operators.map { $0.schema.qualifiedName } : [])
for number in first..<(first + count) {
    var mutator = WireMutator(seed: UInt64(number))
    var cases = OperatorCases(number: number)
    let bytes: [UInt8]
    let name: String
    if isOfOperators {
        (name, bytes) = cases.make(number)
    } else {
        let seed = Seeds.all[mutator.random.below(Seeds.all.count)]
        let other = Seeds.all[mutator.random.below(Seeds.all.count)]
        (name, bytes) = (seed.name, mutator.damage(seed.bytes, other: other.bytes))
    }
    say("\(number) \(name)")
    if let file, let stream = fopen(file, "w") {
        fwrite(bytes, 1, bytes.count, stream)
        fclose(stream)
    }
    do {
        let outcome = try attempt(bytes, &mutator.random, isOfOperators ? cases.inputs : nil)
        if outcome != .refused { loaded += 1 }
        if outcome == .run {
            run += 1
            unreached.remove(OperatorCases.operators[number % OperatorCases.operators.count].schema.qualifiedName)
        }
    } catch let error as Placeless {
        say("an error without a place: \(error.error.code) \(error.error)")
        exit(1)
    } catch {
        say("an error that is no SardonyxError: \(error)")
        exit(1)
    }
}
if isOfOperators { say("unreached: \(unreached.sorted().joined(separator: " "))") }
say("\(count) models: \(loaded) loaded, \(run) run")
