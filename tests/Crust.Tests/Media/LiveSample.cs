using System.IO.Compression;
using System.Text;
using Crust.Trees;

namespace Crust.Tests.Media;

/// <summary>A small base, and parts of one.</summary>
internal static class LiveSample
{
    /// <summary>A base of Kairos' kind for amd64, with absolute links as its distributions have them.</summary>
    public static FileTree Base { get; } = FileTree.Empty.With(
        File("boot/vmlinuz-6.1.0-18-amd64", "kernel"),
        File("boot/initrd.img-6.1.0-18-amd64", "initrd"),
        TreeEntry.Symlink("boot/vmlinuz", "/boot/vmlinuz-6.1.0-18-amd64"),
        TreeEntry.Symlink("boot/initrd", "initrd.img-6.1.0-18-amd64"),
        TreeEntry.Folder("usr/lib/modules/6.1.0-18-amd64"),
        TreeEntry.Symlink("lib", "usr/lib"),
        File("usr/lib/modules/6.1.0-18-amd64/modules.builtin", "kernel/drivers/block/loop.ko\n"),
        File("usr/lib/shim/shimx64.efi.signed", "shim"),
        File("usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", "gcd"),
        File("usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", "grub"),
        File("usr/bin/kairos-agent", "agent"),
        File("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian 12\"\n"),
        File("etc/kairos-release", "KAIROS_ARCH=\"amd64\"\nKAIROS_FLAVOR=debian\n"),
        File("etc/shadow", "root:*:1::::::\nadmin:$6$salt$hash:1::::::\n"),
        File("etc/passwd", "root:x:0:0::/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\n"));

    public static TreeEntry File(string path, string text) => TreeEntry.File(path, TreeContent.Of(text));

    /// <summary>An initramfs: microcode that isn't compressed, then an archive that is.</summary>
    public static byte[] Initrd(string modules, params string[] files)
    {
        using var packed = new MemoryStream();
        packed.Write(Cpio(("kernel/x86/microcode/AuthenticAMD.bin", "microcode")));
        packed.Write(new byte[512]);
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(Cpio([("usr/lib/dracut/modules.txt", modules), .. files.Select(file => (file, "x"))]));
        }

        return packed.ToArray();
    }

    public static byte[] Cpio(params (string Name, string Text)[] files)
    {
        using var archive = new MemoryStream();
        foreach (var (name, text) in files.Append(("TRAILER!!!", "")))
        {
            var content = Encoding.UTF8.GetBytes(text);
            archive.Write(Encoding.ASCII.GetBytes($"070701{0:X8}{0x81a4:X8}{0:X8}{0:X8}{1:X8}{0:X8}{content.Length:X8}{0:X8}{0:X8}{0:X8}{0:X8}{name.Length + 1:X8}{0:X8}"));
            archive.Write(Encoding.ASCII.GetBytes(name + "\0"));
            Pad();
            archive.Write(content);
            Pad();
        }

        return archive.ToArray();

        void Pad() => archive.Write(new byte[(4 - (archive.Length % 4)) % 4]);
    }
}
