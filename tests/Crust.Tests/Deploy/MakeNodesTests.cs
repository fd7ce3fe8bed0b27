using System.Collections.Immutable;
using Crust.Tools;

namespace Crust.Tests.Deploy;

/// <summary>The script of a fleet's pods, with a program in crust's place.</summary>
[CancelAfter(60_000)]
public sealed class MakeNodesTests
{
    private string _folder = "";

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public async Task PutAFakeCrustInThePath()
    {
        _folder = Directory.CreateTempSubdirectory("crust-nodes-").FullName;
        await WriteAsync("bin/crust", "#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit 5\n");
        File.SetUnixFileMode(Path.Combine(_folder, "bin/crust"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await WriteAsync("nodes.yaml", "");
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task The_first_pod_takes_the_first_shard_and_looks_at_the_base() =>
        Assert.That(await RunAsync("0"), Is.EqualTo(new[] { "fleet", "./nodes.yaml", "--from", "/fleet/a b.img.zst", "--shard", "1/4", "--output", "/fleet/nodes", "--as", "image", "--secret", "T=file:*" }));

    [Test]
    public async Task The_others_do_not_look_and_take_the_documents_that_are_there()
    {
        await WriteAsync("user-data.yaml", "");

        Assert.That(await RunAsync("3"), Is.EqualTo(new[]
        {
            "fleet", "./nodes.yaml", "--from", "/fleet/a b.img.zst", "--shard", "4/4", "--output", "/fleet/nodes", "--user-data", "./user-data.yaml", "--inspect", "false",
            "--as", "image", "--secret", "T=file:*",
        }));
    }

    private async Task<string[]> RunAsync(string index)
    {
        var result = await DeployFiles.Tools.RunAsync(ToolCommand.Of("sh", DeployFiles.PathOf($"{DeployFiles.Fleet}/make-nodes.sh")) with
        {
            WorkingDirectory = _folder,
            Environment = ImmutableDictionary<string, string>.Empty.AddRange(
            [
                new("PATH", $"{_folder}/bin:{Environment.GetEnvironmentVariable("PATH")}"), new("CONFIG", "."), new("BASE", "/fleet/a b.img.zst"),
                new("JOB_COMPLETION_INDEX", index), new("SHARDS", "4"), new("FLEET_OPTIONS", "--as image --secret T=file:*"),
            ]),
            SuccessCodes = [5],
        }, Cancellation);
        return result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private async Task WriteAsync(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, name))!);
        await File.WriteAllTextAsync(Path.Combine(_folder, name), text, Cancellation);
    }
}
