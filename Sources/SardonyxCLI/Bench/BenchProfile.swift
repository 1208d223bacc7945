import Sardonyx

/// Where the time of a run goes, step by step.
struct BenchProfile {
    struct Step {
        var node: String
        var operatorType: String
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

    /// Runs the model a few times, with a clock at each step.
    init(session: Session, inputs: [String: Datum], runs: Int) throws {
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
        let plan = try session.boundPlan(for: inputs).plan
        let first = spans.first?.start ?? 0
        steps = zip(plan.steps, spans).enumerated().map { index, entry in
            let (step, span) = entry
            var multiplyAdds = 0
            if case .kernel(let kernel) = step.work { multiplyAdds = kernel.multiplyAdds }
            return Step(
                node: step.node.displayName, operatorType: step.node.qualifiedType,
                shape: step.outputSpecs.first.flatMap { $0?.text } ?? "", multiplyAdds: multiplyAdds,
                milliseconds: durations[index].sorted().percentile(0.5), start: span.start - first,
                end: span.end - first)
        }
    }

    private struct Row {
        var cells: [String]
        var isLeft: [Bool]
    }

    var text: String {
        let total = steps.reduce(0) { $0 + $1.milliseconds }
        func share(_ milliseconds: Double) -> String { total > 0 ? fixed(milliseconds / total * 100, 1) + " %" : "" }
        func speed(_ multiplyAdds: Int, _ milliseconds: Double) -> String {
            multiplyAdds > 0 && milliseconds > 0 ? fixed(Double(multiplyAdds) * 2 / milliseconds / 1e6, 1) : ""
        }
        let stepRows = steps.enumerated().map { index, step in
            [
                "\(index)", fixed(step.milliseconds), share(step.milliseconds),
                speed(step.multiplyAdds, step.milliseconds), step.operatorType, step.shape, step.node,
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
            [
                "\(sum.count)", fixed(sum.milliseconds), share(sum.milliseconds),
                speed(sum.multiplyAdds, sum.milliseconds), name,
            ]
        }
        return Self.table(["step", "ms", "share", "GFLOP/s", "operator", "output", "node"], stepRows) + "\n\n"
            + Self.table(["steps", "ms", "share", "GFLOP/s", "operator"], sumRows)
            + "\n\nall steps \(fixed(total)) ms"
    }

    /// Columns side by side; the first four hold numbers and stand to the right.
    private static func table(_ head: [String], _ rows: [[String]]) -> String {
        let all = [head] + rows
        let widths = head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = row.indices.map { column in
                if column < 4 { return row[column].leftPadded(to: widths[column]) }
                return column == row.count - 1 ? row[column] : row[column].padded(to: widths[column])
            }
            return cells.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// The last run as Chrome's trace event format has it.
    var trace: JSON {
        .object([
            (
                "traceEvents",
                .array(
                    steps.enumerated().map { index, step in
                        .object([
                            ("name", .string(step.operatorType)), ("cat", .string("step")), ("ph", .string("X")),
                            ("ts", .number(Double(step.start) / 1e3)),
                            ("dur", .number(Double(step.end - step.start) / 1e3)), ("pid", .int(1)), ("tid", .int(1)),
                            (
                                "args",
                                .object([
                                    ("step", .int(index)), ("node", .string(step.node)),
                                    ("output", .string(step.shape)),
                                    ("multiply_adds", .int(step.multiplyAdds)),
                                ])
                            ),
                        ])
                    })
            ),
            ("displayTimeUnit", .string("ms")),
        ])
    }
}
