using Crust.Appliance;
using Crust.Spec;

namespace Crust.Tests.Appliance;

[CancelAfter(60_000)]
public sealed class ForeignProgramsTests
{
    private static readonly Arch Foreign = HostArch.Current is Arch.Amd64 ? Arch.Arm64 : Arch.Amd64;
    private static readonly string Emulator = Foreign is Arch.Arm64 ? "qemu-aarch64" : "qemu-x86_64";

    private FakeTools _fakes = null!;

    [SetUp]
    public void SetUp() => _fakes = new FakeTools();

    [TearDown]
    public void TearDown() => _fakes.Dispose();

    [Test]
    public Task The_hosts_own_programs_need_nothing() => CheckAsync(HostArch.Current!.Value);

    [Test]
    public Task Others_run_where_the_kernel_does_so_whatever_by()
    {
        _fakes.Add("arch-test", "exit 0");

        return CheckAsync(Foreign);
    }

    [TestCase("arch-test")]
    [TestCase("static")]
    public async Task What_is_missing_is_named_all_at_once(string missing)
    {
        _fakes.Add(missing == "arch-test" ? $"{Emulator}-static" : "arch-test", "exit 1");

        Assert.That((await Assert.ThrowsAsync<CrustException>(() => CheckAsync(Foreign)))!.Remedy, Is.EqualTo("install them: apt-get install qemu-user-static binfmt-support arch-test"));
    }

    [Test]
    public async Task A_kernel_that_was_not_told_of_the_emulator_is_to_be_told()
    {
        _fakes.Add("arch-test", "exit 1");
        _fakes.Add($"{Emulator}-static", "exit 0");

        var error = (await Assert.ThrowsAsync<CrustException>(() => CheckAsync(Foreign)))!;

        Assert.That((error.Kind, error.Remedy), Is.EqualTo((FailureKind.HostLacks, $"tell the kernel, as root: update-binfmts --enable {Emulator}; in a container, on its host")));
        Assert.That(error.What, Does.StartWith($"This host runs no programs for {Foreign.LowerName()}"));
    }

    private Task CheckAsync(Arch arch) => ForeignPrograms.CheckAsync(_fakes.ToolBoxWithNothingElse, arch, TestContext.CurrentContext.CancellationToken);
}
