using Crust.Sysexts;
using Crust.Sysexts.Checks;
using Crust.Sysexts.Conversion;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Tests.Sysexts.Conversion;

/// <summary>Programs with their libraries in a private folder. That they run on another system is proven in a guest.</summary>
[CancelAfter(120_000)]
public sealed class FlixTreeTests
{
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-flix-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_program_gets_its_own_loader_and_libraries_and_looks_nowhere_else()
    {
        var root = await RootSample.OfHostAsync(Cancellation, "/usr/bin/xz");

        var tree = await BuildAsync(root, RootSample.Take("/usr/bin/xz"));

        var loader = tree.Entries.Single(entry => entry.Path.StartsWith("usr/lib/tool/lib/ld-linux", StringComparison.Ordinal));
        var program = ElfFile.TryRead(tree.Find("usr/bin/xz")!.Content)!;
        var library = ElfFile.TryRead(tree.Find("usr/lib/tool/lib/liblzma.so.5")!.Content)!;
        Assert.That((program.Interpreter, string.Join(':', program.SearchPath), string.Join(':', library.SearchPath)), Is.EqualTo(($"/{loader.Path}", "/usr/lib/tool/lib", "/usr/lib/tool/lib")));
        Assert.That(program.Needed.Select(name => tree.Find($"usr/lib/tool/lib/{name}")), Has.All.Not.Null);
        // With RUNPATH, or without the flag, the loader would also take the system's own libraries.
        var copy = Path.Combine(_folder, "program");
        await File.WriteAllBytesAsync(copy, tree.Find("usr/bin/xz")!.Content.Read(0, 1 << 24), Cancellation);
        Assert.That((await RootSample.Tools.RunAsync(ToolCommand.Of("readelf", "-d", copy), Cancellation)).Output, Does.Contain("(RPATH)").And.Contain("NODEFLIB"));
        // The C library and the loader are as they were.
        Assert.That(tree.Find("usr/lib/tool/lib/libc.so.6")!.Content.Length, Is.EqualTo(root.Entries.Single(entry => entry.Name == "libc.so.6").Content.Length));
        Assert.That(loader.Content.Length, Is.EqualTo(root.Entries.Single(entry => entry.Name == loader.Name).Content.Length));
        Assert.That(SysextCheck.Check(new Extension("tool.raw", tree.With(RootSample.Text("usr/lib/extension-release.d/extension-release.tool", "ID=_any\n"))), SysextProfile.Any), Is.Empty);
    }

    [Test]
    public void Libraries_are_found_as_the_loader_finds_them()
    {
        var libraries = new RootLibraries(RootSample.Root);
        libraries.AddProgram(RootSample.Root.Find("usr/bin/tool")!, ElfFile.TryRead(RootSample.Root.Find("usr/bin/tool")!.Content)!, "here");

        Assert.That(libraries.Found.Select(found => $"{found.Name} {found.File.Path}"), Is.EqualTo(new[]
        {
            "ld-linux-x86-64.so.2 usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "libc.so.6 usr/lib/x86_64-linux-gnu/libc.so.6", "libdeep.so.1 opt/deep/libdeep.so.1",
            "libtool.so.1 usr/lib/x86_64-linux-gnu/libtool.so.1.2.3",
        }));
    }

    [TestCase("/opt/app/bin/app", "$ORIGIN/../lib")]
    [TestCase("/opt/app/bin/app", "/opt/app/lib")]
    public void A_programs_own_search_path_comes_first_and_holds_for_its_libraries(string path, string search)
    {
        var root = RootSample.Root.With(RootSample.Elf(path[1..], RootSample.Loader, ["libtool.so.1"], [search]), RootSample.Elf("opt/app/lib/libtool.so.1", needed: ["libapp.so"]), RootSample.Elf("opt/app/lib/libapp.so"),
            RootSample.Elf("opt/deep/libapp.so", machine: 183));
        var libraries = new RootLibraries(root);
        libraries.AddProgram(root.Find(path[1..])!, ElfFile.TryRead(root.Find(path[1..])!.Content)!, "here");

        Assert.That(libraries.Found.Select(found => found.File.Path), Is.EqualTo(new[] { "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "opt/app/lib/libapp.so", "opt/app/lib/libtool.so.1" }));
    }

    [Test]
    public void musl_looks_where_its_own_list_says_and_brings_its_C_library_as_loader()
    {
        var root = FileTree.Empty.With(RootSample.Elf("lib/ld-musl-x86_64.so.1"), TreeEntry.Symlink("lib/libc.musl-x86_64.so.1", "ld-musl-x86_64.so.1"), RootSample.Elf("lib/libgreet.so"),
            RootSample.Elf("srv/own/libgreet.so"), RootSample.Elf("usr/bin/greet", "/lib/ld-musl-x86_64.so.1", ["libgreet.so", "libc.musl-x86_64.so.1"]));

        string Greet(FileTree of)
        {
            var libraries = new RootLibraries(of);
            libraries.AddProgram(of.Find("usr/bin/greet")!, ElfFile.TryRead(of.Find("usr/bin/greet")!.Content)!, "here");
            return string.Join(' ', libraries.Found.Select(found => $"{found.Name}={found.File.Path}"));
        }

        Assert.That(Greet(root), Is.EqualTo("ld-musl-x86_64.so.1=lib/ld-musl-x86_64.so.1 libgreet.so=lib/libgreet.so"));
        Assert.That(Greet(root.With(RootSample.Text("etc/ld-musl-x86_64.path", "/srv/own:/lib\n"))), Does.EndWith("libgreet.so=srv/own/libgreet.so"));
    }

    [Test]
    public async Task Static_programs_and_shell_scripts_are_taken_as_they_are()
    {
        var root = RootSample.Root;

        var tree = await BuildAsync(root, RootSample.Take("/usr/bin/static", "/bin/shell-script"));

        Assert.That(tree.Entries.Where(entry => entry.Kind is EntryKind.File).Select(entry => (entry.Path, entry.Content)),
            Is.EqualTo(new[] { "usr/bin/shell-script", "usr/bin/static" }.Select(path => (path, root.Find(path)!.Content)).ToArray()).Using<(string, TreeContent), (string, TreeContent)>((one, two) => one.Item1 == two.Item1 && one.Item2.Length == two.Item2.Length));
    }

    [Test]
    public async Task A_script_is_taken_with_the_interpreter_that_is_taken_too()
    {
        var root = RootSample.Root.With(RootSample.Elf("usr/bin/python3"), TreeEntry.File("usr/bin/env-snake", TreeContent.Of("#!/usr/bin/env python3\n"), TreeEntry.Executable));

        var tree = await BuildAsync(root, RootSample.Take("/usr/bin/snake", "/usr/bin/env-snake", "/usr/bin/python3"));

        Assert.That(tree.Find("usr/bin/snake"), Is.Not.Null);
    }

    private static IEnumerable<TestCaseData> Faults()
    {
        TestCaseData Fault(string what, string where, FileTree root, TakeRequest request) => new TestCaseData(what, where, root, request).SetArgDisplayNames(what);

        var root = RootSample.Root;
        yield return Fault("There is no such program in the root", "--program /usr/bin/none", root, RootSample.Take("/usr/bin/none"));
        yield return Fault("It is no program: its mode doesn't let anybody run it", "--program /usr/bin/notes", root, RootSample.Take("/usr/bin/notes"));
        yield return Fault("It is no program, but a folder", "--program /usr/lib", root, RootSample.Take("/usr/lib:/usr/bin/x"));
        yield return Fault("/opt/deep/libdeep.so.1 needs libnone.so, which isn't in the root", "--program /usr/bin/tool", root.With(RootSample.Elf("opt/deep/libdeep.so.1", needed: ["libnone.so"])), RootSample.Take("/usr/bin/tool"));
        yield return Fault($"Its loader {RootSample.Loader} isn't in the root", "--program /usr/bin/tool", root.Without("usr/lib64/ld-linux-x86-64.so.2"), RootSample.Take("/usr/bin/tool"));
        yield return Fault("It is a script for /usr/bin/python3, which isn't in the root", "--program /usr/bin/snake", root, RootSample.Take("/usr/bin/snake"));
        yield return Fault("It is a script for /usr/bin/python3, which isn't taken along", "--program /usr/bin/snake", root.With(RootSample.Elf("usr/bin/python3")), RootSample.Take("/usr/bin/snake"));
        yield return Fault("It is neither a 64-bit ELF program nor a script with an interpreter", "--program /usr/bin/odd", root.With(TreeEntry.File("usr/bin/odd", TreeContent.Of("MZ"), TreeEntry.Executable)), RootSample.Take("/usr/bin/odd"));
        yield return Fault("Two programs go to /usr/bin/x: /usr/bin/tool and /usr/bin/static", "--program", root, RootSample.Take("/usr/bin/tool:/usr/bin/x", "/usr/bin/static:/usr/bin/x"));
        yield return Fault("Two libraries have the name libtool.so.1: /usr/lib/x86_64-linux-gnu/libtool.so.1.2.3, for --program /usr/bin/tool, and /opt/app/libtool.so.1", "--program /opt/app/app",
            root.With(RootSample.Elf("opt/app/libtool.so.1"), RootSample.Elf("opt/app/app", RootSample.Loader, ["libtool.so.1"], ["$ORIGIN"])), RootSample.Take("/usr/bin/tool", "/opt/app/app"));
        yield return Fault("/usr/bin/by-path names a library by its path, /srv/lib.so, and it would be looked for there", "--program /usr/bin/by-path", root.With(RootSample.Elf("usr/bin/by-path", RootSample.Loader, ["/srv/lib.so"])), RootSample.Take("/usr/bin/by-path"));
        yield return Fault("There is no such library in the root", "--library libnone.so", root, RootSample.Take("/usr/bin/tool") with { Libraries = ["libnone.so"] });
        yield return Fault("None of the programs opens libraries: they are static, or scripts", "--library libc.so.6", root, RootSample.Take("/usr/bin/static") with { Libraries = ["libc.so.6"] });
        yield return Fault("There is no such file or folder in the root", "--path /usr/share/none", root, RootSample.Take("/usr/bin/static") with { Paths = ["/usr/share/none"] });
        yield return Fault("It is a link that leads nowhere", "--path /usr/away", root.With(TreeEntry.Symlink("usr/away", "/srv/none")), RootSample.Take("/usr/bin/static") with { Paths = ["/usr/away"] });
        yield return Fault("There is no such unit in the root", "--unit none.service", root, RootSample.Take("/usr/bin/static") with { Units = ["none.service"] });
        yield return Fault("A path that is taken has /usr/lib/tool/lib, which is the place of the libraries", "--path", root.With(RootSample.Text("usr/lib/tool/lib/x", "")), RootSample.Take("/usr/bin/static") with { Paths = ["/usr/lib/tool"] });
    }

    [TestCaseSource(nameof(Faults))]
    public async Task What_cannot_be_converted_is_said(string what, string where, object root, object request)
    {
        var error = await Assert.ThrowsAsync<CrustException>(() => BuildAsync((FileTree)root, (TakeRequest)request));

        Assert.That((error!.Kind, error.What, error.Where), Is.EqualTo((FailureKind.BadInput, what, where)));
        Assert.That(error.Remedy, Is.Not.Empty);
    }

    [Test]
    public async Task What_patchelf_cannot_rewrite_is_said()
    {
        var error = await Assert.ThrowsAsync<CrustException>(() => BuildAsync(RootSample.Root, RootSample.Take("/usr/bin/tool")));

        Assert.That(error!.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.What, Does.StartWith("patchelf can't rewrite it"));
        Assert.That(error.Remedy, Does.Contain("flatwrap"));
    }

    [TestCase("usr/bin/tool", "'usr/bin/tool' is no path of a program")]
    [TestCase("/usr/../bin/tool", "'/usr/../bin/tool' is no path of a program")]
    [TestCase("/srv/tool", "No system would see the program at '/srv/tool': only /usr and /opt are merged")]
    [TestCase("/usr/bin/tool:/usr/../etc/x", "No system would see the program at '/usr/../etc/x': only /usr and /opt are merged")]
    public void Paths_that_are_none_are_said(string text, string what) => Assert.That(() => ProgramWish.Parse(text), Throws.TypeOf<CrustException>().With.Property(nameof(CrustException.What)).EqualTo(what));

    [TestCase("/usr/bin/tool", "usr/bin/tool")]
    [TestCase("/sbin/tool", "usr/sbin/tool")]
    [TestCase("/srv/tool:/usr/bin/x", "usr/bin/x")]
    public void A_program_goes_to_its_own_path_or_where_it_is_wanted(string text, string target) => Assert.That(ProgramWish.Parse(text).Target, Is.EqualTo(target));

    private Task<FileTree> BuildAsync(FileTree root, TakeRequest request) => FlixTree.BuildAsync(root, request, new Patchelf(RootSample.Tools, _folder), Cancellation);
}
