using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Crust.Spec;

/// <summary>
/// Every key of the spec, once. Reading spec files, environment variables and options, the JSON Schema and the
/// reference page all come from this table.
/// </summary>
internal static class SpecKeys
{
    private const long MiB = 1L << 20;
    private const long TiB = 1L << 40;
    private const int MostExtraDisks = 8;

    private static readonly ValueType<long> DiskSize = ValueTypes.Bytes(64 * MiB, 64 * TiB, 512);

    // Reads nothing into the spec: it says how to read the rest.
    private static readonly ValueType<int> Version = new(
        "1",
        given => given.Single.Text == "1"
            ? 1
            : throw ValueTypes.Bad(given.Single, "isn't a version of the spec that this Crust reads", "write version: 1, or use the Crust that the spec was written for"),
        version => $"{version}",
        () => new JsonObject { ["const"] = 1 });

    /// <summary>The table, in the order of the reference page.</summary>
    /// <param name="formats">The formats that can be written, in the order that `all` means.</param>
    public static ImmutableArray<SpecKey> For(IReadOnlyCollection<SpecFormat> formats) =>
    [
        SpecKey.Of("version", Version, _ => 1, (s, _) => s,
            "The version of the spec's format."),
        SpecKey.Of("name", ValueTypes.FileName, s => s.Name, (s, v) => s with { Name = v },
            "The images' base name; without it, that of the installer ISO or of the base image.", "--name"),
        .. Installer(),
        .. BaseKeys.All(),
        .. MediumKeys.All(),
        .. SiteTypes.All(),
        .. Machine(),
        .. SeedKeys.All(),
        SpecKey.Of("layers", LayerType.Layers, s => s.Layers, (s, v) => s with { Layers = v },
            "What is put onto the installed disk, in order: files, scripts, packages, upstream software by recipes, system extensions, container images, users, configuration of cloud-init, k3s nodes, what a node runs on its first boot; docs/layers.md."),
        SpecKey.Of("inspect", ValueTypes.Boolean, s => s.Inspect, (s, v) => s with { Inspect = v },
            "Whether the installed disk is looked at: what is on it, whether anything was installed, and what would make clones of it collide.", "--inspect"),
        SpecKey.Of("tidy", SeedValueTypes.Tidy, s => s.Tidy, (s, v) => s with { Tidy = v },
            "What is tidied on the installed disk so that its images can be cloned: auto is all but the seed for the reference installer, whose first boot needs it, and nothing for "
                + "others; none is nothing, all is all.", "--tidy"),
        SpecKey.Of("trim", ValueTypes.Boolean, s => s.Trim, (s, v) => s with { Trim = v },
            "Whether space that file systems don't use any more is discarded, so that no image carries what was deleted.", "--trim"),
        SpecKey.Of("formats", ValueTypes.Formats(formats), s => s.Formats, (s, v) => s with { Formats = v },
            "The formats to write, from one install; all means every one with a disk in it.", "--format"),
        SpecKey.Of("qcow2.compression", ValueTypes.Choice<Qcow2Compression>(), s => s.Qcow2.Compression, (s, v) => s with { Qcow2 = s.Qcow2 with { Compression = v } },
            "How the qcow2 is compressed, also the one in a kubevirt image: zstd needs QEMU 5.1 to read it, zlib is for older ones.", "--qcow2-compression"),
        .. Iso(),
        .. Verify(),
        .. Sign(),
        .. PublishKeys.For(formats),
        SpecKey.Of("cache", CacheType.Repository, s => s.Cache, (s, v) => s with { Cache = v },
            "A repository that machines share as a cache: installed disks, and finished images that were published there or in publish.repository. Logins and TLS are those of publish. "
                + "none is no such cache. In a mapping, the key is cache.registry.", "--cache", "CACHE"),
        SpecKey.Of("cache.trust", CacheType.Trust, s => s.CacheTrust, (s, v) => s with { CacheTrust = v },
            "Keys of which one has to have signed what is taken from the cache: OpenSSH's public keys or allowed signers, each itself or as a file's path, or files of GPG's public "
                + "keys. Without it, anyone who may write there is trusted.", "--cache-trust", "CACHE_TRUST"),
    ];

    private static IEnumerable<SpecKey> Installer()
    {
        static BuildSpec With(BuildSpec s, Func<InstallerSpec, InstallerSpec> change) => s with { Installer = change(s.Installer) };
        return
        [
            SpecKey.Of("installer.iso", ValueTypes.FileOrUrl, s => s.Installer.Iso, (s, v) => With(s, i => i with { Iso = v }),
                "The installer ISO, a path or an http(s) URL; without it, Crust's reference installer.", "--iso", "ISO_URL"),
            SpecKey.Of("installer.build", ValueTypes.FilePath, s => s.Installer.Build, (s, v) => With(s, i => i with { Build = v }),
                "The spec of an installer that is made first, as crust installer makes it, and then installed.", "--installer-build"),
            SpecKey.Of("installer.sha256", ValueTypes.Checksum, s => s.Installer.Sha256, (s, v) => With(s, i => i with { Sha256 = v }),
                "The SHA-256 that the ISO must have: 64 hex digits, or a SHA256SUMS file by path or URL.", "--sha256", "ISO_SHA256"),
            SpecKey.Of("installer.sha256Signature", ValueTypes.FileOrUrl, s => s.Installer.ChecksumSignature, (s, v) => With(s, i => i with { ChecksumSignature = v }),
                "The GPG signature of the SHA256SUMS file, by path or URL; not needed where the file is signed in the clear.", "--sha256-signature", "ISO_SHA256_SIGNATURE"),
            SpecKey.Of("installer.key", ValueTypes.FilePath, s => s.Installer.ChecksumKey, (s, v) => With(s, i => i with { ChecksumKey = v }),
                "A file of GPG's public keys, one of which has to have signed the SHA256SUMS file.", "--installer-key", "ISO_KEY"),
            SpecKey.Of("installer.allowUnverified", ValueTypes.Boolean, s => s.Installer.AllowUnverified, (s, v) => With(s, i => i with { AllowUnverified = v }),
                "Takes an ISO from a URL without a checksum, and a SHA256SUMS file that comes by plain HTTP without a signature.", "--allow-unverified"),
            SpecKey.Of("installer.boot.kernel", ValueTypes.Text, s => s.Installer.BootKernel, (s, v) => With(s, i => i with { BootKernel = v }),
                "A kernel in the ISO that the machine starts with, by its path there, in place of the ISO's boot loader.", "--boot-kernel"),
            SpecKey.Of("installer.boot.initrd", ValueTypes.Text, s => s.Installer.BootInitrd, (s, v) => With(s, i => i with { BootInitrd = v }),
                "The kernel's initramfs, by its path in the ISO.", "--boot-initrd"),
            SpecKey.Of("installer.boot.append", ValueTypes.Text, s => s.Installer.BootAppend, (s, v) => With(s, i => i with { BootAppend = v }),
                "The kernel's command line. No place for secrets: the manifest shows it.", "--boot-append"),
            SpecKey.Of("installer.boot.keys", ValueTypes.BootKeys, s => s.Installer.BootKeys, (s, v) => With(s, i => i with { BootKeys = v }),
                "What is typed while the machine boots, in Packer's notation: text, <enter>, <f10>, <wait2s>, <leftCtrlOn>x<leftCtrlOff>.", "--boot-keys"),
            SpecKey.Of("installer.boot.after", ValueTypes.Text, s => s.Installer.BootKeysAfter, (s, v) => With(s, i => i with { BootKeysAfter = v }),
                "The text after which the keys are typed, on the serial port or on a screen in text mode; without it, at once.", "--boot-after"),
        ];
    }

    private static IEnumerable<SpecKey> Machine()
    {
        static BuildSpec With(BuildSpec s, Func<MachineSpec, MachineSpec> change) => s with { Machine = change(s.Machine) };
        return
        [
            SpecKey.Of("machine.arch", ValueTypes.Choice<Arch>(), s => s.Machine.Arch, (s, v) => With(s, m => m with { Arch = v }),
                "The guest's processor architecture.", "--arch"),
            SpecKey.Of("machine.firmware", ValueTypes.Choice<Firmware>(), s => s.Machine.Firmware, (s, v) => With(s, m => m with { Firmware = v }),
                "What the machine starts with; on arm64, where there is no BIOS, uefi if it isn't set.", "--firmware"),
            SpecKey.Of("machine.cpus", ValueTypes.Integer(1, 255), s => s.Machine.Cpus, (s, v) => With(s, m => m with { Cpus = v }),
                "Virtual CPUs, 1 to 255.", "--cpus"),
            SpecKey.Of("machine.memory", ValueTypes.Bytes(128 * MiB, 16 * TiB, MiB), s => s.Machine.Memory, (s, v) => With(s, m => m with { Memory = v }),
                "The machine's memory, 128M or more, in whole MiB.", "--memory"),
            SpecKey.Of("machine.disk", DiskSize, s => s.Machine.Disk, (s, v) => With(s, m => m with { Disk = v }),
                "The size of the disk that is installed to, or that a base image is grown to: 64M or more, a multiple of 512 bytes.", "--disk-size", "DISK_SIZE"),
            SpecKey.Of("machine.diskBus", ValueTypes.Choice<DiskBus>(), s => s.Machine.DiskBus, (s, v) => With(s, m => m with { DiskBus = v }),
                "What the disk hangs on, in the install and when an image is verified.", "--disk-bus"),
            SpecKey.Of("machine.extraDisks", ListType.Of(DiskSize, MostExtraDisks), s => s.Machine.ExtraDisks, (s, v) => With(s, m => m with { ExtraDisks = v }),
                "Sizes of empty disks beside the one that is installed to, at most 8; they are thrown away after the install.", "--extra-disk"),
            SpecKey.Of("machine.network", NetworkTypes.Network, s => s.Machine.Network, (s, v) => With(s, m => m with { Network = v }),
                "What a guest reaches: the internet, and nothing of this host or of private networks; all that this host reaches; or nothing.", "--network"),
            SpecKey.Of("machine.networkAllow", ListType.Of(NetworkTypes.Range, NetworkTypes.MostRanges), s => s.Machine.NetworkAllow, (s, v) => With(s, m => m with { NetworkAllow = v }),
                "Private networks or addresses that a guest reaches beside the internet, such as 10.1.0.0/16, at most 32; never this host's own addresses.", "--network-allow"),
            SpecKey.Of("machine.tpm", ValueTypes.Boolean, s => s.Machine.Tpm, (s, v) => With(s, m => m with { Tpm = v }),
                "Gives the machine a TPM 2.0, with a fresh state in each machine.", "--tpm"),
            SpecKey.Of("machine.accelerator", ValueTypes.Choice<Accelerator>(), s => s.Machine.Accelerator, (s, v) => With(s, m => m with { Accelerator = v }),
                "What runs the guest's instructions; auto is KVM where it works, else TCG.", "--accel"),
            SpecKey.Of("machine.deadline", ValueTypes.Time, s => s.Machine.Deadline, (s, v) => With(s, m => m with { Deadline = v }),
                "How long the install may take.", "--deadline"),
            SpecKey.Of("machine.stall", ValueTypes.Time, s => s.Machine.Stall, (s, v) => With(s, m => m with { Stall = v }),
                "How long a machine may write nothing to its disk and its serial port and show nothing new; twice that while its processors are busy.", "--stall"),
            SpecKey.Of("machine.onReboot", ValueTypes.Choice<OnReboot>(), s => s.Machine.OnReboot, (s, v) => With(s, m => m with { OnReboot = v }),
                "What it means when the installer reboots: a failure, its end, or nothing.", "--on-reboot"),
        ];
    }

    private static IEnumerable<SpecKey> Iso()
    {
        static BuildSpec With(BuildSpec s, Func<IsoSpec, IsoSpec> change) => s with { Iso = change(s.Iso) };
        return
        [
            SpecKey.Of("iso.target", ValueTypes.DiskPattern, s => s.Iso.Target, (s, v) => With(s, i => i with { Target = v }),
                "The disk that the iso writes to: one asked for at the console (ask), the largest (auto), a path, the largest of a size (size>=200G, size<=1T), or a serial number's "
                    + "pattern (serial:S3Z*).",
                "--iso-target"),
            SpecKey.Of("iso.overwrite", ValueTypes.Boolean, s => s.Iso.Overwrite, (s, v) => With(s, i => i with { Overwrite = v }),
                "Lets the iso write to a disk that holds data without asking.", "--iso-overwrite"),
            SpecKey.Of("iso.after", ValueTypes.Choice<AfterFlash>(), s => s.Iso.After, (s, v) => With(s, i => i with { After = v }),
                "How the machine ends once its disk is written.", "--iso-after"),
        ];
    }

    private static IEnumerable<SpecKey> Verify()
    {
        static BuildSpec With(BuildSpec s, Func<VerifySpec, VerifySpec> change) => s with { Verify = change(s.Verify) };
        return
        [
            SpecKey.Of("verify.boot", VerifyTypes.Boot, s => s.Verify.Boot, (s, v) => With(s, x => x with { Boot = v }),
                "Whether images are booted before they get their names. "
                    + "auto: one that shows no sign of being up or of having failed before the deadline is kept and reported as unproven; true: it fails the build.",
                "--verify"),
            SpecKey.Of("verify.expect", ValueTypes.Text, s => s.Verify.Expect, (s, v) => With(s, x => x with { Expect = v }),
                "The text on the serial port that proves that an image is up; "
                    + "without it, a login prompt on the serial port or the screen, an SSH banner, or cloud-init's last message. Implies verify.boot: true.",
                "--expect"),
            SpecKey.Of("verify.ssh", VerifyTypes.Ssh, s => s.Verify.Ssh, (s, v) => With(s, x => x with { Ssh = v }),
                "true waits for the banner of the image's SSH server; "
                    + "login, or user and key below this key, logs in, and waits for a text only where verify.expect is given. Both imply verify.boot: true.",
                "--verify-ssh", inMapping: VerifyTypes.Login),
            SpecKey.Of("verify.ssh.user", ValueTypes.AccountName, s => s.Verify.SshUser, (s, v) => With(s, x => x with { SshUser = v }),
                "The account that logs in; without it, seed.ssh.user.", "--verify-ssh-user"),
            SpecKey.Of("verify.ssh.key", ValueTypes.FilePath, s => s.Verify.SshKey, (s, v) => With(s, x => x with { SshKey = v }),
                "The file of the private key, without a passphrase, with which it does; without it, the password of seed.ssh.password.", "--verify-ssh-key"),
            SpecKey.Of("verify.checks", VerifyTypes.Checks, s => s.Verify.Checks, (s, v) => With(s, x => x with { Checks = v }),
                "Command lines that are run in the guest after the log-in, one after the other; each has to exit with 0. No place for secrets: the manifest shows them.", "--check"),
            SpecKey.Of("verify.deadline", ValueTypes.Time, s => s.Verify.Deadline, (s, v) => With(s, x => x with { Deadline = v }),
                "How long an image may take to come up and to pass its checks; 15m where verify.boot is true.", "--verify-deadline"),
        ];
    }

    private static IEnumerable<SpecKey> Sign()
    {
        static BuildSpec With(BuildSpec s, Func<SignSpec, SignSpec> change) => s with { Sign = change(s.Sign) };
        return
        [
            SpecKey.Of("sign.key", ValueTypes.FilePath, s => s.Sign.Key, (s, v) => With(s, x => x with { Key = v }),
                "The OpenSSH key that signs the images' provenance: a private key's file, or a public key's whose private half ssh-agent has. One with a passphrase has to be in ssh-agent.",
                "--sign-key", "SIGN_KEY"),
            SpecKey.Of("sign.gpgKey", ValueTypes.Text, s => s.Sign.GpgKey, (s, v) => With(s, x => x with { GpgKey = v }),
                "The GPG key that signs the images' provenance: a fingerprint, a key id or an address.", "--sign-gpg-key", "SIGN_GPG_KEY"),
            SpecKey.Of("sign.passphrase", ValueTypes.Secret, s => s.Sign.Passphrase, (s, v) => With(s, x => x with { Passphrase = v }),
                "The GPG key's passphrase; without it, gpg-agent has to know it. A secret.", variable: "SIGN_PASSPHRASE"),
            SpecKey.Of("sign.passphraseFile", SeedValueTypes.SecretFile, s => s.Sign.Passphrase, (s, v) => With(s, x => x with { Passphrase = v }),
                "A file, or a file descriptor (fd:3), that the passphrase is read from.", "--sign-passphrase-file", "SIGN_PASSPHRASE_FILE"),
        ];
    }
}
