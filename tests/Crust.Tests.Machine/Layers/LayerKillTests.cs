using Crust.Tests.Machine.Inspection;

namespace Crust.Tests.Machine.Layers;

/// <summary>The whole program killed while a layer's script runs, on a small base, so that it takes seconds.</summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(600_000)]
public sealed class LayerKillTests
{
    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeTearDown]
    public void TearDown() => _crust.Dispose();

    [Test]
    public async Task A_build_that_is_killed_in_the_middle_of_a_layer_leaves_no_machine_no_image_and_nothing_that_a_later_one_takes_for_whole()
    {
        _crust.ShareDearThings();
        var disks = new SampleDisks(_crust.Folder, Cancellation);
        var system = await RealLayers.ScriptableSystemAsync(disks, Cancellation);
        await disks.DiskAsync("base.raw", null, new SamplePartition("8304", "root", 128, await disks.ExtAsync("ext4", "root", 128, system)));
        await WriteAsync("waits.sh", "echo half >/etc/half\nwhile :; do :; done\n");
        await WriteAsync("works.sh", "echo whole >/etc/whole\n");

        await WriteSpecAsync("waits.sh");
        await using (var killed = _crust.Start("build"))
        {
            var qemu = await killed.FindQemuAsync(() => SerialLogs().Any(log => log.Contains("running the script", StringComparison.Ordinal)), Cancellation);
            killed.Signal("KILL");
            await killed.WaitAsync(Cancellation);
            while (Directory.Exists($"/proc/{qemu}") && !(await File.ReadAllTextAsync($"/proc/{qemu}/stat", Cancellation)).Contains(") Z "))
                await Task.Delay(20, Cancellation);
        }

        Assert.That(_crust.ImageFiles.Where(file => file.EndsWith(".img", StringComparison.Ordinal) || file == "SHA256SUMS"), Is.Empty);

        await WriteSpecAsync("works.sh");
        var after = await _crust.RunAsync(Cancellation, "build");
        Assert.That(after.ExitCode, Is.Zero, after.Error);
        Assert.That(after.Error, Does.Contain("layer 1 (script works.sh)"));
        var part = await disks.PartitionAsync(_crust.Image("killed.img"), 1, 128, "part");
        await Host.RunAsync("e2fsck", ["-fn", part], Cancellation);
        Assert.That(await Host.RunAsync("debugfs", ["-R", "cat /etc/whole", part], Cancellation), Is.EqualTo("whole\n"));
        Assert.That(await Host.RunAsync("debugfs", ["-R", "ls -p /etc", part], Cancellation), Does.Not.Contain("/half/"));

        // The layer that was cut off isn't taken for one that is there.
        await WriteAsync("waits.sh", "echo half >/etc/half\n");
        await WriteSpecAsync("waits.sh");
        var again = await _crust.RunAsync(Cancellation, "build");
        Assert.That(again.ExitCode, Is.Zero, again.Error);
        Assert.That(again.Error, Does.Contain("layer 1 (script waits.sh)"));
        Assert.That(Directory.EnumerateDirectories(Path.Combine(_crust.Cache, "disks"), ".unfinished-*"), Is.Empty, "what was half done is gone");
    }

    private IEnumerable<string> SerialLogs() => Directory.Exists(Path.Combine(_crust.Cache, "disks"))
        ? Directory.EnumerateFiles(Path.Combine(_crust.Cache, "disks"), "serial.log", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = true })
            .Select(log => Read(log)) : [];

    // It may be gone by now.
    private static string Read(string path)
    {
        try
        {
            using var file = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            return file.ReadToEnd();
        }
        catch (IOException)
        {
            return "";
        }
    }

    private Task WriteAsync(string name, string script) => File.WriteAllTextAsync(Path.Combine(_crust.Folder, name), "#!/bin/sh\n" + script, Cancellation);

    // In a machine like the saved one, which is restored and not booted.
    private Task WriteSpecAsync(string script) => File.WriteAllTextAsync(Path.Combine(_crust.Folder, "crust.yaml"), $"""
        version: 1
        name: killed
        base: {"{"} image: base.raw {"}"}
        machine: {"{"} disk: 256M, memory: 1G, network: none {"}"}
        layers:
          - script: {script}
        formats: [img]
        """, Cancellation);
}
