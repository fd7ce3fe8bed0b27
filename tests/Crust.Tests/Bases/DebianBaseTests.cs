using Crust.Bases;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Installers;
using Serilog.Core;

namespace Crust.Tests.Bases;

/// <summary>How the packages of an architecture are installed whose programs this host runs, or doesn't. That it works is shown by machines.</summary>
[CancelAfter(60_000)]
public sealed class DebianBaseTests
{
    private static readonly Arch Foreign = HostArch.Current is Arch.Amd64 ? Arch.Arm64 : Arch.Amd64;
    private static readonly DebianSpec Trixie = new() { Suite = "trixie", Packages = ["cloud-init"] };

    private EventList _events = null!;
    private Machine _machine = null!;
    private FakeTools _fakes = null!;

    [SetUp]
    public void SetUp()
    {
        (_fakes, _events, _machine) = (new FakeTools(), new EventList(), new Machine());
        // It notes its arguments, and writes what they name: root.tar or unpacked.tar.
        _fakes.AddShell("mmdebstrap", $"echo \"$*\" >>{_fakes.FileFor("calls")}; for name; do case $name in *.tar) echo root >$name ;; esac; done");
    }

    [TearDown]
    public void TearDown() => _fakes.Dispose();

    [Test]
    public async Task Where_the_host_runs_their_programs_they_are_installed_on_it()
    {
        _fakes.AddShell("arch-test", "exit 0");

        await GetAsync();

        Assert.That(File.ReadAllText(_fakes.FileFor("calls")), Does.Contain("--variant=minbase"));
        Assert.That(_machine.Script, Is.Null);
    }

    [Test]
    public async Task Elsewhere_a_machine_installs_what_mmdebstrap_has_unpacked()
    {
        var root = await GetAsync();

        var call = File.ReadAllText(_fakes.FileFor("calls"));
        Assert.That(call, Does.Contain("--variant=extract").And.Contain("--include=?essential ").And.Contain("--skip=cleanup/apt").And.Contain("cloud-init").And.Not.Contain("chroot"));
        Assert.That(_machine.Script, Does.Contain("dpkg --force-depends --install").And.Match("--no-download .* install .*cloud-init\n").And.Contain("sh /finish.sh\n"));
        Assert.That(File.ReadAllText(root.Tar), Is.EqualTo("installed"));
        Assert.That(_events.Events.OfType<BuildEvent.Warned>().Select(warned => warned.Message), Has.One.StartsWith($"This host runs no programs for {Foreign.LowerName()}: packages are installed in a machine"));
    }

    [Test]
    public async Task What_fails_there_is_said_with_what_the_packages_printed_and_nothing_is_kept()
    {
        _machine.Failure = new CrustException(FailureKind.GuestFailed, "the command ended with exit code 1", "--run", "") { Detail = "dpkg: error" };

        var error = (await Assert.ThrowsAsync<CrustException>(GetAsync))!;

        Assert.That((error.Kind, error.What, error.Where, error.Detail), Is.EqualTo((FailureKind.InputOutput, "The packages can't be installed: the command ended with exit code 1", $"base.debian: trixie, {Foreign.LowerName()}", "dpkg: error")));
        Assert.That(Base().Find(Trixie, Foreign, DiskLayout.Gpt), Is.Null);
    }

    private Task<DebianBase.Root> GetAsync() => Base().GetAsync(Trixie, Foreign, DiskLayout.Gpt, TestContext.CurrentContext.CancellationToken);

    private DebianBase Base()
    {
        var folders = new Folders { Images = _fakes.FileFor("images"), Cache = _fakes.FileFor("cache"), Runtime = _fakes.FileFor("run"), Builder = Folders.BuilderBesideProgram };
        foreach (var tool in new[] { "sh", "env", "cat" })
        {
            File.Delete(Path.Combine(_fakes.Bin, tool));
            File.CreateSymbolicLink(Path.Combine(_fakes.Bin, tool), $"/bin/{tool}");
        }

        return new DebianBase(_fakes.ToolBoxWithNothingElse, new BuildCache(folders.Cache, Logger.None), folders, _machine, _events);
    }

    private sealed class Machine : IPackageInstaller
    {
        public string? Script { get; private set; }

        public CrustException? Failure { get; set; }

        public Task RunAsync(string root, string script, Arch arch, string output, CancellationToken cancellation)
        {
            Script = script;
            if (Failure is not null)
            {
                throw Failure;
            }

            File.Move(root, output);
            return File.WriteAllTextAsync(output, "installed", cancellation);
        }
    }
}
