import Sardonyx
import SardonyxImaging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where results come from: written beside them as provenance.json.
struct Provenance {
    struct File: Sendable {
        let path: String
        let sha256: String

        /// A file, `shown` as another path where it is to be moved.
        ///
        /// - Throws: `ImagingError` `.cannotOpen` for a file that cannot be read.
        init(_ path: String, shown: String? = nil) throws {
            self.path = shown ?? path
            sha256 = try Digest.file(path)
        }

        var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    }

    private let runner: PipelineRunner
    private let inputs: [File]

    init(_ runner: PipelineRunner, _ inputs: [File]) {
        self.runner = runner
        self.inputs = inputs
    }

    /// The same for runs that would give the same results: of version, pipeline, model and images.
    var identity: String {
        Digest.text(
            ([
                Version.text, "\(runner.options.session.precision)", runner.digest,
            ] + (runner.modelFiles + inputs).map(\.sha256))
            .joined(separator: "\n"))
    }

    /// The text of provenance.json of a run that made `outputs`.
    func text(_ report: StudyReport, outputs: [File]) -> String {
        func paths(_ files: [File]) -> JSONValue {
            .array(files.map { .object([("path", .string($0.path)), ("sha256", .string($0.sha256))]) })
        }
        let model = runner.modelFiles
        return JSONValue.object([
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
                .object([("name", .string(runner.pipeline.name)), ("sha256", .string(runner.digest))])
            ),
            (
                "model",
                .object([
                    ("file", .string(model[0].name)), ("sha256", .string(model[0].sha256)),
                    ("externalData", paths(Array(model.dropFirst()))),
                    ("planHash", .optional(report.planHash)),
                ])
            ),
            ("inputs", paths(inputs)), ("outputs", paths(outputs)),
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
