import Glibc
import SardonyxExecution
import SardonyxGraph
import SardonyxTestSupport
import Testing

/// The file behind measured choices, without what is measured.
@Suite struct PinnedChoicesTests {
    /// Has questions measured that `blocks` is the answer to.
    private static func pin(_ choices: PinnedChoices, _ questions: String...) throws {
        try choices.pinning {
            for question in questions {
                try choices.measure(question) { _ in MeasuredChoice(chosen: "blocks", times: [("blocks", 1500)]) }
            }
        }
    }

    private static func answer(_ choices: PinnedChoices, _ question: String) throws -> String? {
        try choices.answer(to: question, possible: ["blocks", "plain"])
    }

    /// A link to a link to a file that is there, or is made: beside it, in another folder, or by its whole path.
    @Test(arguments: ["real.json", "there/real.json", "/"], [true, false])
    func linksStayLinks(target: String, isThere: Bool) throws {
        let folder = TemporaryFolder()
        let real = folder.path + (target == "/" ? "/absolute.json" : "/" + target)
        folder.write(
            Array("{\"sardonyx_choices\": 1, \"choices\": []}".utf8), to: String(real.dropFirst(folder.path.count + 1)))
        if !isThere { unlink(real) }
        let links = [folder.path + "/first", folder.path + "/second"]
        symlink(target == "/" ? real : target, links[0])
        symlink("first", links[1])
        try Self.pin(PinnedChoices(path: links[1], account: MemoryAccount()), "q")
        for link in links {
            var status = stat()
            #expect(lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        }
        #expect(try Self.answer(PinnedChoices(path: real, account: MemoryAccount()), "q") == "blocks")
    }

    /// A link that leads to itself is a file that cannot be opened.
    @Test func aCircleOfLinksIsAnError() {
        let folder = TemporaryFolder()
        symlink("circle", folder.path + "/circle")
        let error = #expect(throws: SardonyxError.self) {
            try PinnedChoices(path: folder.path + "/circle", account: MemoryAccount())
        }
        #expect(error?.code == .file)
    }

    @Test(arguments: [0o600, 0o664, 0o640] as [mode_t])
    func permissionsStay(mode: mode_t) throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/choices.json"
        try Self.pin(PinnedChoices(path: path, account: MemoryAccount()), "first")
        chmod(path, mode)
        try Self.pin(PinnedChoices(path: path, account: MemoryAccount()), "second")
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == mode)
        #expect(TemporaryFolder.names(in: folder.path) == ["choices.json"])
    }

    /// Where the file is gone, or another one is there, the choices that plans were made by stay the session's.
    @Test func choicesStayWhenTheFileGoes() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/choices.json"
        let choices = try PinnedChoices(path: path, account: MemoryAccount())
        try Self.pin(choices, "first")
        unlink(path)
        try Self.pin(choices, "first", "second")
        #expect(choices.measuredCount == 2)
        for question in ["first", "second"] { #expect(try Self.answer(choices, question) == "blocks") }
    }

    /// What another session pins after the file was read is found before anything is measured.
    @Test func othersChoicesAreFound() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/choices.json"
        let (one, other) = try (
            PinnedChoices(path: path, account: MemoryAccount()), PinnedChoices(path: path, account: MemoryAccount())
        )
        try Self.pin(one, "first", "second")
        try Self.pin(other, "first", "third")
        #expect(other.measuredCount == 1)
        #expect(try Self.answer(other, "second") == "blocks")
        #expect(try Self.answer(one, "third") == nil)
        try Self.pin(one, "third")
        #expect(one.measuredCount == 2)
    }

    /// Measuring takes no more than the limit, be the session's account as large as it likes, and is charged to both.
    @Test(arguments: [(nil, 1 << 20, 1 << 19, 1), (nil, 1 << 20, 1 << 21, 0), (1 << 20, 1 << 30, 1 << 21, 0)])
    func measuringHasALimit(budget: Int?, limit: Int, bytes: Int, measured: Int) throws {
        let folder = TemporaryFolder()
        let account = MemoryAccount(limit: budget)
        let choices = try PinnedChoices(path: folder.path + "/choices.json", account: account, limit: limit)
        try choices.pinning {
            try choices.measure("q") { _ in
                let storage = try TensorStorage(byteCount: bytes, for: .lasting)
                #expect(account.held == storage.byteCount)
                return MeasuredChoice(chosen: "blocks", times: [])
            }
        }
        #expect(choices.measuredCount == measured)
        #expect(account.held == 0)
        #expect(account.peak == (measured == 1 ? bytes : 0))
    }
}
