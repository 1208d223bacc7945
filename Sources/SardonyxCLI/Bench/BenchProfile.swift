import Sardonyx
import SardonyxExecution

/// Where the time of a run goes, step by step.
struct BenchProfile {
    struct Step {
        var node: String
        var operatorType: String
        /// How it is computed, where the operator has several ways.
        var algorithm: String
        /// The first output's shape, where it is known.
        var shape: String
        var multiplyAdds: Int
        /// The median over the runs, in milliseconds.
        var milliseconds: Double
        /// In the last run, in nanoseconds from its start.
        var start: UInt64
        var end: UInt64
    }

    let steps: [Step]
    private let threads: Int
    /// GFLOP/s that the threads could do at most: the best of a moment before the runs and one after, as clocks change.
    private let peak: Double

    private static let peakSeconds = 0.05

    /// Runs the model a few times, with a clock at each step.
    init(session: Session, inputs: [String: Datum], runs: Int) throws {
        let threads = session.options.threads.number
        let peakBefore = Processor.peakGigaflops(threads: threads, seconds: Self.peakSeconds)
        var durations: [[Double]] = []
        var spans: [(start: UInt64, end: UInt64)] = []
        for _ in 0..<runs {
            var current: [Int: (start: UInt64, end: UInt64)] = [:]
            _ = try session.runValues(inputs, cancellation: nil) { step, start, end in current[step] = (start, end) }
            spans = (0..<((current.keys.max() ?? -1) + 1)).map { current[$0] ?? (0, 0) }
            if durations.isEmpty { durations = Array(repeating: [], count: spans.count) }
            for (step, span) in spans.enumerated() where step < durations.count {
                durations[step].append(Double(span.end - span.start) / 1e6)
            }
        }
        self.threads = threads
        peak = max(peakBefore, Processor.peakGigaflops(threads: threads, seconds: Self.peakSeconds))
        let plan = try session.boundPlan(for: inputs).plan
        let first = spans.first?.start ?? 0
        steps = zip(plan.steps, spans).enumerated().map { index, entry in
            let (step, span) = entry
            var (multiplyAdds, algorithm) = (0, "")
            if case .kernel(let kernel) = step.work {
                (multiplyAdds, algorithm) = (kernel.multiplyAdds, kernel.algorithm)
            }
            return Step(
                node: step.node.displayName, operatorType: step.node.qualifiedType, algorithm: algorithm,
                shape: step.outputSpecs.first.flatMap { $0?.text } ?? "", multiplyAdds: multiplyAdds,
                milliseconds: durations[index].sorted().percentile(0.5), start: span.start - first,
                end: span.end - first)
        }
    }

    var text: String {
        let total = steps.reduce(0) { $0 + $1.milliseconds }
        func share(_ milliseconds: Double) -> String { total > 0 ? fixed(milliseconds / total * 100, 1) + " %" : "" }
        /// GFLOP/s, and their share of the peak.
        func speed(_ multiplyAdds: Int, _ milliseconds: Double) -> [String] {
            guard multiplyAdds > 0, milliseconds > 0 else { return ["", ""] }
            let speed = Double(multiplyAdds) * 2 / milliseconds / 1e6
            return [fixed(speed, 1), peak > 0 ? fixed(speed / peak * 100, 0) + " %" : ""]
        }
        let stepRows = steps.enumerated().map { index, step in
            ["\(index)", fixed(step.milliseconds), share(step.milliseconds)]
                + speed(step.multiplyAdds, step.milliseconds) + [
                    step.operatorType + (step.algorithm.isEmpty ? "" : ", \(step.algorithm)"), step.shape, step.node,
                ]
        }
        var sums: [String: (count: Int, milliseconds: Double, multiplyAdds: Int)] = [:]
        for step in steps {
            let sum = sums[step.operatorType] ?? (0, 0, 0)
            sums[step.operatorType] = (
                sum.count + 1, sum.milliseconds + step.milliseconds, sum.multiplyAdds + step.multiplyAdds
            )
        }
        let sumRows = sums.sorted { ($1.value.milliseconds, $0.key) < ($0.value.milliseconds, $1.key) }.map {
            name, sum in
            ["\(sum.count)", fixed(sum.milliseconds), share(sum.milliseconds)]
                + speed(sum.multiplyAdds, sum.milliseconds) + [name]
        }
        return Self.table(["step", "ms", "share", "GFLOP/s", "peak", "operator", "output", "node"], stepRows) + "\n\n"
            + Self.table(["steps", "ms", "share", "GFLOP/s", "peak", "operator"], sumRows)
            + "\n\nall steps \(fixed(total)) ms; peak \(fixed(peak, 1)) GFLOP/s "
            + "(\(Processor.instructionSet), \(threads) thread\(threads == 1 ? "" : "s"))"
    }

    /// Columns side by side; the first five hold numbers and stand to the right.
    private static func table(_ head: [String], _ rows: [[String]]) -> String {
        let all = [head] + rows
        let widths = head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = row.indices.map { column in
                if column < 5 { return row[column].leftPadded(to: widths[column]) }
                return column == row.count - 1 ? row[column] : row[column].padded(to: widths[column])
            }
            return cells.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// The last run as Chrome's trace event format has it, as one thread of a process named for the model.
    func trace(of model: String) -> JSON {
        func event(_ name: String, _ phase: String, _ rest: [(key: String, value: JSON)]) -> JSON {
            .object([("name", .string(name)), ("ph", .string(phase)), ("pid", .int(1)), ("tid", .int(1))] + rest)
        }
        let names = [
            event("process_name", "M", [("args", .object([("name", .string("sardonyx bench \(model)"))]))]),
            event("thread_name", "M", [("args", .object([("name", .string("steps"))]))]),
        ]
        let spans = steps.enumerated().map { index, step in
            event(
                step.operatorType, "X",
                [
                    ("cat", .string("step")), ("ts", .number(Double(step.start) / 1e3)),
                    ("dur", .number(Double(step.end - step.start) / 1e3)),
                    (
                        "args",
                        .object([
                            ("step", .int(index)), ("node", .string(step.node)), ("output", .string(step.shape)),
                            ("multiply_adds", .int(step.multiplyAdds)), ("algorithm", .string(step.algorithm)),
                        ])
                    ),
                ])
        }
        return .object([("traceEvents", .array(names + spans)), ("displayTimeUnit", .string("ms"))])
    }
}
