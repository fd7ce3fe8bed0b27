using Crust.Attestation;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;
using Crust.Sysexts.Checks;
using Crust.Trees;

namespace Crust.Tests.Machine;

// System extensions in a system that runs anyway: systemd decides as Crust said that it would, and the unit in one runs.
public sealed partial class ReferenceTests
{
    private const int SystemdOfDebian12 = 252;

    private static async Task AssertExtensionsAreMergedAsync(Guest guest, string folder)
    {
        var hello = FileTree.Empty.With(
            TreeEntry.File("usr/bin/hello", TreeContent.Of("#!/bin/sh\necho hello from $1\n"), TreeEntry.Executable),
            TreeEntry.File("usr/lib/systemd/system/hello.service", TreeContent.Of("[Service]\nType=oneshot\nRemainAfterExit=yes\nStandardOutput=file:/run/hello\nExecStart=/usr/bin/hello a unit\n")));
        var host = ReleaseFile.Parse(await guest.RunAsync("cat /etc/os-release", Cancellation));
        var systemd = await Host.RunAsync("apt-cache", ["show", "--no-all-versions", "systemd-container"], Cancellation);
        await TestContext.Out.WriteLineAsync(systemd.Split('\n').First(line => line.StartsWith("Version", StringComparison.Ordinal)));
        var package = Path.Combine(folder, "systemd-container.tar");
        await Host.RunAsync("sh", ["-c", "cd \"$1\" && apt-get -o APT::Sandbox::User=root download systemd-container && dpkg-deb --fsys-tarfile systemd-container_*.deb >\"$2\"", "sh", folder, package], Cancellation);
        var dissect = FileTree.FromTar(package);

        (SysextPlan Plan, FileTree Tree)[] wanted =
        [
            (new SysextPlan { Name = "hello", Profile = SysextProfile.Debian, OsVersion = "12" }.For(null), hello),
            (new SysextPlan { Name = "later", Profile = SysextProfile.Debian, OsVersion = "13" }.For(null), FileTree.Empty.With(TreeEntry.File("usr/bin/later", TreeContent.Of("#!/bin/sh\n"), TreeEntry.Executable))),
            (new SysextPlan { Name = "packed", Profile = SysextProfile.Debian, Format = SysextFormat.Erofs }.For(SysextPlan.AnyOs), FileTree.Empty.With(TreeEntry.File("usr/bin/packed", TreeContent.Of("#!/bin/sh\necho packed\n"), TreeEntry.Executable))),
            (new SysextPlan { Name = "dissect", Profile = SysextProfile.Debian, OsVersion = "12" }.For(null), FileTree.Empty.With(dissect.Find("usr/bin/systemd-dissect")!)),
        ];
        var decisions = new List<MergeDecision>();
        foreach (var (plan, tree) in wanted)
        {
            var built = await new SysextBuilder(Host.Tools, new SysextAttestor(new Signer(Host.Tools, new Folders { Images = folder, Cache = folder, Runtime = folder, Builder = "" }), TimeProvider.System), TimeProvider.System)
                .BuildAsync(plan, new SysextContent(tree, []), new SignSpec(), Path.Combine(folder, "extensions"), Cancellation);
            var read = await new SysextReader(Host.Tools).ReadAsync(built.Path, folder, Cancellation);
            decisions.Add(MergeDecision.Of(read, host, SysextFile.ArchName(Arch.Amd64), SystemdOfDebian12));
            await guest.RunAsync($"sudo mkdir -p /var/lib/extensions; echo {Convert.ToBase64String(await File.ReadAllBytesAsync(built.Path, Cancellation))} | base64 -d | sudo tee /var/lib/extensions/{plan.FileName} >/dev/null", Cancellation);
        }

        Assert.That(decisions.Select(decision => decision.Merges), Is.EqualTo(new[] { true, false, true, true }));
        // It refuses all where one has no place: none of these does.
        await TestContext.Out.WriteLineAsync(await guest.RunAsync("sudo systemd-sysext merge 2>&1", Cancellation));
        Assert.That(await guest.RunAsync("hello me; packed; command -v later", Cancellation), Is.EqualTo("hello from me\npacked\n"));
        Assert.That(await guest.RunAsync("sudo systemctl daemon-reload; sudo systemctl start hello; systemctl is-active hello; cat /run/hello", Cancellation), Is.EqualTo("active\nhello from a\n"));
        var dissected = await guest.RunAsync("sudo systemd-dissect --no-pager /var/lib/extensions/hello.raw 2>&1", Cancellation);
        await TestContext.Out.WriteLineAsync(dissected);
        Assert.That(dissected, Does.Contain("extension").IgnoreCase.And.Contain("ID=debian"));
        Assert.That(await guest.RunAsync("sudo systemd-sysext unmerge >/dev/null; command -v hello packed", Cancellation), Is.Empty);
    }
}
