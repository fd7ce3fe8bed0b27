using Crust.Machines;
using Crust.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Machine.Machines;

[CancelAfter(60_000)]
public sealed class LongModeStubTests
{
    private static readonly ToolBox Tools = new(HostEnvironment.Read().SearchPath, Logger.None);
    private string _folder = "";

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-test-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    // A busy host may take longer than a user is made to wait.
    private AcceleratorProbe Probe => new(Tools, _folder, Logger.None) { Patience = TimeSpan.FromSeconds(10) };

    [Test]
    public async Task The_stub_s_bytes_are_those_of_its_source()
    {
        var linkable = Path.Combine(_folder, "stub.o");
        var binary = Path.Combine(_folder, "stub.bin");
        await Tools.RunAsync(ToolCommand.Of("as", "--64", "-o", linkable, Path.Combine(AppContext.BaseDirectory, "Machines", "LongModeStub.S")), Cancellation);
        await Tools.RunAsync(ToolCommand.Of("ld", "-m", "elf_x86_64", "-Ttext", "0x7c00", "--oformat", "binary", "-o", binary, linkable), Cancellation);

        Assert.That(Convert.ToHexString(LongModeStub.Sector.AsSpan()), Is.EqualTo(Convert.ToHexString(await File.ReadAllBytesAsync(binary, Cancellation))));
    }

    [Test]
    public async Task The_stub_runs_to_its_end_under_TCG()
    {
        Assert.That(await Probe.RunStubAsync("tcg", "max", Cancellation), Is.Empty);
    }

    [Test]
    public async Task The_accelerator_that_is_chosen_here_runs_the_stub_to_its_end()
    {
        var choice = await new AcceleratorProbe(Tools, _folder, Logger.None).ChooseAsync(Accelerator.Auto, Arch.Amd64, Cancellation);
        TestContext.Out.WriteLine(choice);

        var outcome = choice.Used is Accelerator.Kvm
            ? await Probe.RunStubAsync("kvm", "host", Cancellation)
            : await Probe.RunStubAsync("tcg", "max", Cancellation);
        Assert.That(outcome, Is.Empty);
    }
}
