using Crust.Disks;
using Crust.Isos;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Cli;

namespace Crust.Tests.Storage;

[CancelAfter(60_000)]
[NonParallelizable] // It sets how long the whole process waits for a pipe.
public sealed class PipeInputTests
{
    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-pipe-").FullName;

    [TearDown]
    public void TearDown()
    {
        PipeInput.Patience = TimeSpan.FromSeconds(30);
        PipeInput.Ending = default;
        Directory.Delete(_folder, recursive: true);
    }

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task A_pipe_is_read_once_and_remembered()
    {
        var pipe = Pipes.Make(Path.Combine(_folder, "user-data"));
        var text = new string('x', 300_000);
        var writing = Task.Run(() => File.WriteAllText(pipe, text), Cancellation);

        var first = UserFile.Read(pipe, pipe, "user-data");
        var second = UserFile.Read(pipe, pipe, "user-data");
        await writing;

        Assert.That((first == text, second == text), Is.EqualTo((true, true)));
    }

    [Test]
    public void A_pipe_that_nobody_writes_to_ends_in_an_error()
    {
        PipeInput.Patience = TimeSpan.FromMilliseconds(300);
        var pipe = Pipes.Make(Path.Combine(_folder, "silent"));

        var error = Assert.Throws<CrustException>(() => UserFile.Read(pipe, pipe, "user-data"))!;

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, "The user-data file is a pipe, and nothing has come through it for 0 seconds")));
    }

    [Test]
    public void Waiting_for_a_pipe_ends_when_the_process_is_to_end()
    {
        using var ending = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        PipeInput.Ending = ending.Token;
        var pipe = Pipes.Make(Path.Combine(_folder, "silent"));

        Assert.That(() => UserFile.Read(pipe, pipe, "spec"), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task A_spec_may_come_through_a_pipe()
    {
        var pipe = Pipes.Make(Path.Combine(_folder, "spec"));
        var writing = Task.Run(() => File.WriteAllText(pipe, "machine: { cpus: 3 }\nseed: { userData: user-data.yaml }\n"), Cancellation);

        var spec = new SpecReader([new("img")]).Read(new SpecSources { File = pipe, CurrentFolder = "/work" });
        await writing;

        Assert.That((spec.Machine.Cpus, spec.Seed.UserData.Single()), Is.EqualTo((3, "/work/user-data.yaml")), "paths start from the current folder");
    }

    [Test]
    public void Where_a_pipe_makes_no_sense_it_is_refused_at_once()
    {
        var pipe = Pipes.Make(Path.Combine(_folder, "pipe"));

        var iso = Assert.Throws<CrustException>(() => IsoInspector.Inspect(pipe, pipe))!;
        var file = Assert.Throws<CrustException>(() => UserFile.Open(pipe, pipe, "seed's"))!;
        var device = Assert.Throws<CrustException>(() => UserFile.Read("/dev/zero", "/dev/zero", "user-data"))!;

        Assert.That((iso.Kind, iso.What), Is.EqualTo((FailureKind.BadInput, "This is a FIFO (named pipe), not an ISO")));
        Assert.That((file.Kind, file.What), Is.EqualTo((FailureKind.BadInput, "The seed's file is a FIFO (named pipe)")));
        Assert.That((device.Kind, device.What), Is.EqualTo((FailureKind.BadInput, "The user-data file is a device")));
    }

    [Test]
    public async Task A_pipe_in_place_of_an_ISO_keeps_nobody_waiting_who_only_looks_at_it()
    {
        var pipe = Pipes.Make(Path.Combine(_folder, "iso"));

        Assert.That(ProfileFinder.Find(pipe), Is.Null, "as of an ISO that says nothing of itself");
        await Assert.ThatAsync(() => SparseHash.ComputeAsync(pipe, CancellationToken.None), Throws.InstanceOf<IOException>());
        Assert.That((await CommandLineRun.OfAsync("build", "--check-only", "--iso", pipe)).Code, Is.Zero);
    }

    [TestCase("build", "--output", "")]
    [TestCase("build", "")]
    [TestCase("inspect", "")]
    [TestCase("verify", "")]
    [TestCase("verify", "x.img", "--signature", "")]
    [TestCase("embed", "--output", "")]
    [TestCase("installer", "--output", "")]
    [TestCase("installer", "--parts", "")]
    [TestCase("plan", "")]
    [TestCase("publish", "--output", "")]
    public async Task An_empty_path_is_bad_input(params string[] args)
    {
        var run = await CommandLineRun.OfAsync(args);

        Assert.That(run.Code, Is.EqualTo(2), run.Error);
        Assert.That(run.Error, Does.Match("^crust: The (value of --[a-z]+|argument [A-Z|]+) is empty\n"));
    }
}
