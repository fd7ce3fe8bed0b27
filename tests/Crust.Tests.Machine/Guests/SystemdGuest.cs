using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Crust.Appliance;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Tests.Machine.Guests;

/// <summary>
/// A Debian of any release, with systemd and its tools for extensions, that boots from memory, runs a script when its basic units are up, and powers off. It reaches this host's
/// loopback at 10.0.2.2.
/// </summary>
internal sealed class SystemdGuest
{
    // systemd loads libcryptsetup only when it meets dm-verity.
    private const string Packages = "systemd,systemd-container,udev,kmod,iproute2,gnupg,busybox,libcryptsetup12,linux-image-cloud-amd64";

    // What is started when it is merged waits for multi-user.target, so that mustn't wait for the script.
    private const string Unit = """
        [Unit]
        Description=Runs the test's script

        [Service]
        Type=simple
        ExecStart=/bin/sh -c 'sh -eu /test.sh >/dev/ttyS0 2>&1; echo "the script ended with $?" >/dev/ttyS0'
        ExecStopPost=/usr/bin/systemctl poweroff -ff

        """;

    private const string Start = """
        modprobe virtio_net
        until [ -e /sys/class/net/eth0 ]; do sleep 0.2; done
        ip link set lo up
        ip link set eth0 up
        ip addr add 10.0.2.15/24 dev eth0
        ip route add default via 10.0.2.2

        """;

    private static readonly ConcurrentDictionary<string, Lazy<Task<SystemdGuest>>> Made = new();

    private readonly string _kernel;
    private readonly string _root;

    private SystemdGuest(string kernel, string root) => (_kernel, _root) = (kernel, root);

    /// <summary>The path of its kernel.</summary>
    public string Kernel => _kernel;

    /// <summary>The path of its root, a cpio archive, which has the kernel's modules.</summary>
    public string Root => _root;

    /// <summary>The guest of a release, made once for all tests of this host: it is kept beside Crust's own cache.</summary>
    public static Task<SystemdGuest> OfAsync(string suite, CancellationToken cancellation) => Made.GetOrAdd(suite, _ => new Lazy<Task<SystemdGuest>>(() => MakeAsync(suite, cancellation))).Value;

    /// <summary>Boots it and runs a script in it, which has to succeed.</summary>
    /// <param name="files">Further files in it, by their absolute paths.</param>
    /// <param name="disks">Raw disk images that it has as /dev/vda, /dev/vdb and so on.</param>
    /// <returns>What the script printed.</returns>
    public async Task<string> RunAsync(IEnumerable<(string Path, byte[] Content)> files, string script, CancellationToken cancellation, params string[] disks)
    {
        var added = new CpioArchive();
        added.AddLink("/init", "usr/lib/systemd/systemd");
        added.AddFile("/etc/systemd/system/test.service", Encoding.UTF8.GetBytes(Unit), executable: false);
        added.AddLink("/etc/systemd/system/multi-user.target.wants/test.service", "../test.service");
        added.AddFile("/test.sh", Encoding.UTF8.GetBytes(Start + script), executable: false);
        foreach (var (path, content) in files)
        {
            added.AddFile(path, content, executable: false);
        }

        var initramfs = Path.Combine(Path.GetTempPath(), $"crust-systemd-{Guid.NewGuid():N}");
        try
        {
            File.Copy(_root, initramfs);
            await using (var end = new FileStream(initramfs, FileMode.Append))
            {
                added.WriteTo(end);
            }

            var output = (await Host.Tools.RunAsync(ToolCommand.Of("qemu-system-x86_64",
            [
                "-machine", "q35,accel=tcg", "-cpu", "max,-erms,-fsrm", "-m", "1280", "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
                "-kernel", _kernel, "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1 net.ifnames=0 systemd.show_status=0 systemd.mask=serial-getty@ttyS0.service",
                "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net",
                .. disks.SelectMany(disk => new[] { "-drive", $"file={disk},format=raw,if=virtio,readonly=on" }),
            ]), cancellation)).Output.Replace("\r", "");
            Assert.That(output, Does.Contain("the script ended with 0\n"));
            return output;
        }
        finally
        {
            File.Delete(initramfs);
        }
    }

    private static async Task<SystemdGuest> MakeAsync(string suite, CancellationToken cancellation)
    {
        var guests = Path.Combine(HostEnvironment.Read().CacheFolder, "test-guests");
        var folder = Path.Combine(guests, $"{suite}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Packages)))[..12]}");
        if (Directory.Exists(folder))
        {
            return new SystemdGuest(Path.Combine(folder, "vmlinuz"), Path.Combine(folder, "root.cpio"));
        }

        Directory.CreateDirectory(guests);
        using var draft = DraftFolder.Create(guests);
        var (kernel, root) = (Path.Combine(draft.Path, "vmlinuz"), Path.Combine(draft.Path, "root.cpio"));
        await Host.Tools.RunAsync(ToolCommand.Of("mmdebstrap",
        [
            "--mode=auto", "--variant=minbase", "--format=null", $"--include={Packages}",
            "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
            // What a hook writes lies in the root, where this user may not look in every mode; mmdebstrap itself takes it out.
            "--customize-hook=cp \"$1\"/boot/vmlinuz-* \"$1/kernel\" && rm -rf \"$1\"/boot/* \"$1\"/var/cache/apt \"$1\"/var/lib/apt/lists",
            "--customize-hook=cd \"$1\" && find . -xdev ! -path ./kernel ! -path ./root.cpio | sort | cpio -o -H newc --quiet -O root.cpio",
            $"--customize-hook=download /kernel {kernel}", $"--customize-hook=download /root.cpio {root}",
            suite, "/dev/null",
        ]) with
        {
            // The kernel's package makes no initramfs: this is one.
            Environment = ImmutableDictionary<string, string>.Empty.Add("INITRD", "No"),
        }, cancellation);
        var whole = Directory.CreateDirectory(Path.Combine(draft.Path, "whole")).FullName;
        File.Move(kernel, Path.Combine(whole, "vmlinuz"));
        File.Move(root, Path.Combine(whole, "root.cpio"));
        try
        {
            Directory.Move(whole, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // Another run of the tests made it meanwhile.
        }

        return new SystemdGuest(Path.Combine(folder, "vmlinuz"), Path.Combine(folder, "root.cpio"));
    }
}
