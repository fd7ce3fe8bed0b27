using System.Security.Cryptography;
using System.Text;
using Crust.Appliance;
using Crust.Isos;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Machine.Field;

namespace Crust.Tests.Machine.Seeds;

/// <summary>
/// An installer that tells what it finds: the appliance's kernel and drivers with a job of its own. On the serial port it prints its kernel's command line and, of each
/// volume with a label that installers look for and of its own medium, each file with its SHA-256. Then it installs something, and powers off.
/// </summary>
internal static class SeedReader
{
    private const string VolumeId = "READER";

    private const string Job = """
        . /crust/lib.sh
        tell() { printf 'seed: %s\n' "$*" >/dev/ttyS0; }
        list() {
            type=$(blkid -p -o value -s TYPE "/dev/$1")
            label=$(blkid -p -o value -s LABEL "/dev/$1")
            mkdir -p "/run/read/$1"
            must mount -t "$type" -o ro,"$2" "/dev/$1" "/run/read/$1"
            (cd "/run/read/$1" && find . -type f ! -path './boot/*' ! -path './casper/*' -exec sha256sum {} +) | while read -r sum path; do
                tell "$label $type ${path#./} $sum"
            done
        }
        step 0.1 "reading the seed"
        tell "kernel $(cat /proc/cmdline)"
        if name=$(await_volume "iso9660 vfat" "cidata CIDATA OEMDRV PRESEED" 15); then
            case $(blkid -p -o value -s TYPE "/dev/$name") in
            vfat) list "$name" utf8=1 ;;
            *) list "$name" iocharset=utf8 ;;
            esac
        else
            tell "no volume"
        fi
        list "$(find_volume iso9660 READER)" iocharset=utf8
        step 0.9 "installing"
        disk=$(disks | largest)
        echo 'start=2048' | must sfdisk -q "/dev/$disk"
        must dd if=/dev/urandom of="/dev/$disk" bs=1M seek=1 count=1
        finish poweroff "read"
        """;

    /// <summary>Writes its ISO, with its kernel once more where Ubuntu's has it if <paramref name="asUbuntu"/>.</summary>
    public static async Task<string> IsoAsync(string folder, bool asUbuntu, CancellationToken cancellation)
    {
        var work = Directory.CreateDirectory(Path.Combine(folder, "reader")).FullName;
        var appliance = await FieldMedium.Appliance.GetAsync(Arch.Amd64, cancellation);
        var initramfs = Path.Combine(work, "initramfs");
        File.Copy(appliance.Initramfs, initramfs);
        await using (var file = new FileStream(initramfs, FileMode.Append))
        {
            var archive = new CpioArchive();
            // Whoever starts it without the ISO's boot loader doesn't name the job.
            var init = await File.ReadAllTextAsync(Path.Combine(Folders.BuilderBesideProgram, "appliance", "init"), cancellation);
            const string ReadsJob = "job=$(argument job)";
            Assert.That(init, Does.Contain(ReadsJob), "where the job is replaced");
            archive.AddFile("/init", Encoding.UTF8.GetBytes(init.Replace(ReadsJob, "job=read-seed")), executable: true);
            archive.AddFile("/crust/jobs/read-seed", Encoding.UTF8.GetBytes(Job), executable: false);
            file.Write(new byte[(4 - (file.Length % 4)) % 4]);
            archive.WriteTo(file);
        }

        var iso = Path.Combine(folder, "reader.iso");
        await new HybridIso(Host.Tools).WriteAsync(new HybridIsoContent
        {
            VolumeId = VolumeId,
            Title = "An installer that tells what it finds",
            Appliance = appliance with { Initramfs = initramfs },
            KernelArguments = [.. appliance.SerialConsoles, .. appliance.KernelArguments],
            Files = asUbuntu ? [("/casper/vmlinuz", appliance.Kernel), ("/casper/initrd", initramfs)] : [],
        }, iso, work, _ => { }, cancellation);
        Directory.Delete(work, recursive: true);
        return iso;
    }

    /// <summary>What it says of a file.</summary>
    public static string Line(string label, string type, string path, byte[] content) => $"seed: {label} {type} {path} {Convert.ToHexStringLower(SHA256.HashData(content))}";

    /// <summary>What it said of all files.</summary>
    public static IEnumerable<string> LinesOf(string serial) => serial.Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.StartsWith("seed: ", StringComparison.Ordinal));
}
