import Sardonyx
import SardonyxImaging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where results come from: written beside them as provenance.json.
struct Provenance {
    struct Input: Sendable {
        let path: String
        let sha256: String
    }

    private let runner: PipelineRunner
    private let inputs: [Input]

    init(_ runner: PipelineRunner, _ inputs: [Input]) {
        self.runner = runner
        self.inputs = inputs
    }

    /// The same for runs that would give the same results: of version, pipeline, model and images.
    var identity: String {
        Digest.text(
            ([
                Version.text, "\(runner.options.session.precision)", runner.digests.pipeline, runner.digests.model,
            ] + inputs.map(\.sha256))
            .joined(separator: "\n"))
    }

    /// The text of provenance.json.
    func text(_ report: StudyReport) -> String {
        JSONValue.object([
            ("identity", .string(identity)),
            (
                "software",
                .object([
                    ("name", .string("Sardonyx")), ("version", .string(Version.text)),
                    ("instructionSet", .string(Session.instructionSet)),
                    ("threads", .integer(runner.session.threadCount)),
                    ("precision", .string("\(runner.options.session.precision)")),
                ])
            ),
            (
                "pipeline",
                .object([("name", .string(runner.pipeline.name)), ("sha256", .string(runner.digests.pipeline))])
            ),
            (
                "model",
                .object([
                    ("file", .string(runner.pipeline.model.split(separator: "/").last.map(String.init) ?? "")),
                    ("sha256", .string(runner.digests.model)),
                    ("planHash", .optional(report.planHash)),
                ])
            ),
            (
                "inputs",
                .array(inputs.map { .object([("path", .string($0.path)), ("sha256", .string($0.sha256))]) })
            ),
            (
                "outputs",
                .array(
                    report.files.map {
                        .object([("path", .string($0)), ("sha256", .string((try? Digest.file($0)) ?? ""))])
                    })
            ),
            ("began", .string(Provenance.date(time(nil) - time_t(report.seconds)))),
            ("seconds", .number(report.seconds)),
            ("partsInSeconds", .object(report.times.map { ($0.part, .number($0.seconds)) })),
            ("expectedMemoryBytes", .integer(report.expectedMemory)),
            ("tiles", .integer(report.tiles)),
        ]).text(pretty: true) + "\n"
    }

    /// "2026-01-31T12:00:00Z"
    private static func date(_ moment: time_t) -> String {
        var moment = moment
        var parts = tm()
        gmtime_r(&moment, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
