import ArgumentParser
import Sardonyx

/// `sardonyx bench`: how fast a model runs, and what it takes.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures a model's speed and memory.",
        discussion: """
            Runs the model again and again for some seconds and prints the median, the least and the 95th percentile \
            of the times; the start (from the file to the first output); and the memory. Inputs that are not given are \
            normal(0, 1) with seed 0, or ones for integers; dimensions that the model leaves open are 1.

            A profile's peak is a step's share of the multiply-adds that the threads could do at most, which is measured \
            beside it. GFLOP/s count the operator's own arithmetic: a convolution by Winograd's algorithm does less and \
            can show more than 100 %.

            Examples:
              sardonyx bench unet.onnx --shape image=1,1,512,512 --threads 2
              sardonyx bench unet.onnx --profile
              sardonyx bench unet.onnx --trace trace.json     (open it in ui.perfetto.dev)
              sardonyx bench unet.onnx --loading              (how long it takes to open)
            """)

    @Argument(help: ArgumentHelp("The ONNX file.", valueName: "model"))
    var model: String

    @Option(help: ArgumentHelp("Threads to run on; all CPUs by default.", valueName: "n"))
    var threads: Int?

    @OptionGroup var memory: MemoryOption

    @OptionGroup var kernels: KernelOptions

    @Option(help: ArgumentHelp("For how long to measure.", valueName: "s"))
    var seconds: Double = 3

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("An input's name and the .npy or .pb file with its value.", valueName: "name=file"))
    var input: [String] = []

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("A shape for an input that is not given.", valueName: "name=shape"))
    var shape: [String] = []

    @Option(help: ArgumentHelp("Write the last timed run's outputs into this folder.", valueName: "dir"))
    var dumpOutputs: String?

    @Flag(help: "Print each step's time, speed and share of the peak, and each kind of operator's.")
    var profile = false

    @Option(help: ArgumentHelp("Write the steps of one run as a Chrome trace.", valueName: "file"))
    var trace: String?

    @Flag(help: "Measure how long the model takes to open and to be ready for a run, and run nothing.")
    var loading = false

    @Flag(help: "Print one line of JSON.")
    var json = false

    func validate() throws {
        guard seconds >= 0, seconds <= 86400 else { throw ValidationError("--seconds must be from 0 to 86400") }
    }

    func run() throws {
        if loading {
            var options = Session.Options(threads: threads, memoryBudget: memory.memoryBudget)
            kernels.apply(to: &options)
            let record = try BenchLoading(path: model, options: options) { try readGiven($0).shapes }
            return Terminal.print(json ? JSON.object(record.figures).text : record.text)
        }
        let base = Process.residentMegabytes
        let start = Process.now
        let model = try Model(contentsOf: model)
        // Reading and drawing inputs is no part of the start.
        let opened = Process.now
        let given = try readGiven(model)
        let inputs = try makeInputs(model, given.values, given.shapes)
        let ready = Process.now
        var options = Session.Options(threads: threads, memoryBudget: memory.memoryBudget)
        kernels.apply(to: &options)
        let session = try Session(model, options: options)
        var runner = BenchRunner(session: session, inputs: inputs)
        do {
            try runner.runOnce()
        } catch var error as SardonyxError where error.code != .memory {
            if let advice = model.shapeAdvice(given.shapes) {
                error.message += "; axes that the model leaves open were taken as 1: \(advice)"
            }
            throw error
        }
        let startMilliseconds = Double(opened - start + (Process.now - ready)) / 1e6
        let times = try runner.measure(seconds: seconds)
        let peak = Process.peakResidentMegabytes
        if let dumpOutputs { try Files.writeOutputs(runner.outputs, to: dumpOutputs) }
        let figures: [(key: String, value: JSON)] = [
            ("median_ms", .number(times.percentile(0.5))), ("min_ms", .number(times[0])),
            ("p95_ms", .number(times.percentile(0.95))), ("start_ms", .number(startMilliseconds)),
            ("base_mb", .number(base)), ("peak_mb", .number(peak)), ("runs", .int(times.count)),
            ("threads", .int(session.options.threads.number)),
            ("plan_hash", .string(try session.boundPlan(for: inputs).plan.hash)),
        ]
        if json {
            Terminal.print(JSON.object(figures).text)
        } else {
            Terminal.print(
                """
                median  \(fixed(times.percentile(0.5))) ms over \(times.count) runs
                least   \(fixed(times[0])) ms
                p95     \(fixed(times.percentile(0.95))) ms
                start   \(fixed(startMilliseconds)) ms from the file to the first output
                memory  \(fixed(peak - base, 1)) MB more than the \(fixed(base, 1)) MB before the model was opened
                """)
        }
        if profile || trace != nil {
            let record = try BenchProfile(session: session, inputs: inputs, runs: trace == nil ? 5 : 1)
            if profile {
                // The figures' line stays alone on standard output.
                if json { Terminal.write(record.text + "\n") } else { Terminal.print("\n" + record.text) }
            }
            if let trace {
                try Files.write(
                    record.trace(of: String(self.model.split(separator: "/").last ?? "")).text + "\n", to: trace)
            }
        }
    }

    /// What `--input` and `--shape` give, and the shapes of both.
    private func readGiven(_ model: Model) throws -> (values: [String: Datum], shapes: [String: [Int]]) {
        let values = try model.readInputs(input)
        var shapes = try model.readShapes(shape)
        for case (let name, .tensor(let tensor)) in values { shapes[name] = tensor.shape }
        return (values, shapes)
    }

    private func makeInputs(
        _ model: Model, _ given: [String: Datum], _ shapes: [String: [Int]]
    ) throws -> [String: Datum] {
        var values = given
        let shapes = model.defaultShapes(shapes)
        var random = RandomInputs(seed: 0)
        for port in model.inputs where values[port.name] == nil {
            values[port.name] = try .tensor(random.tensor(port, shapes[port.name] ?? []))
        }
        return values
    }
}

/// Runs a session again and again, into the same outputs where their shapes are known.
struct BenchRunner {
    let session: Session
    let inputs: [String: Datum]
    private var results: [String: Datum] = [:]
    private var tensors: [String: Tensor] = [:]
    private var preallocates = false

    init(session: Session, inputs: [String: Datum]) {
        self.session = session
        self.inputs = inputs
    }

    /// The last run's outputs in the model's order.
    var outputs: [(name: String, value: Datum)] {
        session.model.outputs.names.compactMap { name in
            (preallocates ? tensors[name].map(Datum.tensor) : results[name]).map { (name, $0) }
        }
    }

    mutating func runOnce() throws { results = try session.runValues(inputs) }

    /// Milliseconds of each run, sorted.
    mutating func measure(seconds: Double) throws -> [Double] {
        let tensorInputs = inputs.compactMapValues { if case .tensor(let tensor) = $0 { tensor } else { nil } }
        if tensorInputs.count == inputs.count {
            tensors = results.compactMapValues { if case .tensor(let tensor) = $0 { tensor } else { nil } }
            do {
                // A trial: outputs whose shapes depend on data cannot be made beforehand.
                try session.run(tensorInputs, into: &tensors)
                preallocates = true
            } catch let error as SardonyxError where error.code == .invalidInput {
                preallocates = false
            }
        }
        var times: [Double] = []
        let end = Process.now + UInt64(seconds * 1e9)
        // Three runs at the least, so that the median says something.
        while times.count < 3 || Process.now < end {
            let start = Process.now
            if preallocates {
                try session.run(tensorInputs, into: &tensors)
            } else {
                results = try session.runValues(inputs)
            }
            times.append(Double(Process.now - start) / 1e6)
        }
        return times.sorted()
    }
}

extension [Double] {
    /// The value below which this share of the sorted values lies.
    func percentile(_ share: Double) -> Double {
        let position = share * Double(count - 1)
        let low = Int(position)
        let high = Swift.min(low + 1, count - 1)
        return self[low] + (self[high] - self[low]) * (position - Double(low))
    }
}
