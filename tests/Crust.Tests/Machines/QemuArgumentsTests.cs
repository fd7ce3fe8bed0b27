using Crust.Machines;
using Crust.Spec;
using Crust.Tests.Spec;

namespace Crust.Tests.Machines;

public sealed class QemuArgumentsTests
{
    private static readonly QemuEndpoints Endpoints = new("/run/c/qmp", "/run/c/serial", "/run/c/word", null) { Sent = "/run/c/ntx", Passed = "/run/c/nfw", Answered = "/run/c/nrx" };

    private static readonly MachineDescription Install = new()
    {
        Name = "install",
        Accelerator = Accelerator.Tcg,
        Drives = [new Drive.Disk("raw") { File = "/cache/disk.raw" }, new Drive.Cdrom { File = "/iso/a,b.iso" }, new Drive.Cdrom { File = "/cache/seed.iso" }],
    };

    [Test]
    public void An_install_under_BIOS_and_TCG() => Check("install-bios-tcg", Install, Endpoints);

    [Test]
    public void An_install_under_UEFI_and_KVM_that_may_reset() => Check("install-uefi-kvm",
        Install with { Accelerator = Accelerator.Kvm, Firmware = Firmware.Uefi, Cpus = 4, Memory = 8L << 30, AllowReset = true },
        Endpoints with { Firmware = new("/usr/share/OVMF/CODE.fd", "/run/c/vars.fd") });

    [Test]
    public void A_boot_with_ssh_forwarded() => Check("verify-ssh",
        Install with { Name = "verify", ForwardSsh = true, AllowReset = true, Drives = [new Drive.Disk("qcow2") { File = "/cache/overlay" }] }, Endpoints);

    [Test]
    public void A_boot_from_a_USB_stick_without_a_network() => Check("usb-stick",
        Install with { Network = MachineNetwork.None, Drives = [new Drive.UsbStick { File = "/iso/x.iso" }, new Drive.Disk("raw") { File = "/cache/disk.raw" }] }, Endpoints);

    [Test]
    public void A_field_machine_with_Secure_Boot_and_a_disk_with_a_serial_number() => Check("secure-boot",
        Install with { Name = "field", Firmware = Firmware.UefiSecure, Drives = [new Drive.Cdrom { File = "/iso/x.iso" }, new Drive.Disk("raw") { File = "/cache/disk.raw", Serial = "EDGE-1" }] },
        Endpoints with { Firmware = new("/usr/share/OVMF/CODE.fd", "/run/c/vars.fd") });

    [Test]
    public void Disks_on_each_bus_with_an_extra_one_and_no_network([Values(DiskBus.Scsi, DiskBus.Sata, DiskBus.Nvme)] DiskBus bus) => Check($"install-{bus.LowerName()}",
        Install with
        {
            Network = MachineNetwork.None,
            Drives = [.. Install.Drives.Select(drive => drive is Drive.Disk disk ? disk with { Bus = bus } : drive), new Drive.Disk("raw") { File = "/cache/extra1.raw", Bus = bus }],
        }, Endpoints);

    [Test]
    public void An_install_on_arm64_which_has_its_CDs_on_SCSI() => Check("install-arm64", Install with { Arch = Arch.Arm64, Firmware = Firmware.UefiSecure },
        Endpoints with { Firmware = new("/usr/share/AAVMF/CODE.fd", "/run/c/vars.fd") });

    [TestCase(Arch.Amd64)]
    [TestCase(Arch.Arm64)]
    public void A_machine_with_a_TPM_whose_kernel_has_no_initramfs_shown_over_VNC(Arch arch) => Check($"tpm-direct-vnc-{arch.LowerName()}",
        Install with { Arch = arch, Tpm = true, DirectBoot = new("/cache/kernel", null, ["quiet console=ttyS0"]), Display = new GuestDisplay.VncSocket() },
        Endpoints with { Tpm = "/run/c/tpm", Vnc = "/run/c/vnc" });

    [Test]
    public void A_guest_that_reaches_what_this_host_reaches() => Check("install-network-host", Install with { Network = MachineNetwork.Host }, Endpoints);

    [Test]
    public void An_install_in_a_window() => Check("install-window", Install with { Display = new GuestDisplay.Window("gtk") }, Endpoints);

    [Test]
    public void A_job_in_the_appliance_whose_kernel_QEMU_loads() => Check("appliance-job",
        Install with
        {
            Name = "trim",
            Network = MachineNetwork.None,
            Drives = [new Drive.Disk("qcow2") { File = "/cache/disk.raw.trim" }],
            DirectBoot = new("/cache/vmlinuz", "/cache/initramfs.zst", ["crust.job=trim", "console=ttyS0,115200"]),
        }, Endpoints);

    [Test]
    public void A_machine_that_will_be_saved_has_slots_for_disks_and_a_generation_ID() => Check("to-be-saved",
        Install with { Name = "appliance", Network = MachineNetwork.None, Drives = [], HotPlug = true, DirectBoot = new("/cache/vmlinuz", "/cache/initramfs.zst", ["crust.host=save"]) }, Endpoints);

    [Test]
    public void A_restored_machine_has_the_same_devices_and_reads_its_state_from_standard_input() => Check("restored",
        Install with
        {
            Name = "appliance",
            Network = MachineNetwork.None,
            Drives = [new Drive.Disk("qcow2") { File = "/cache/disk.overlay" }],
            HotPlug = true,
            DirectBoot = new("/cache/vmlinuz", "/cache/initramfs.zst", ["crust.host=save"]),
            Restored = new SavedMachine("/cache/warm/state", "pc-q35-7.2", new string('0', 64)),
        }, Endpoints);

    // An option and its value share a line.
    private static void Check(string name, MachineDescription machine, QemuEndpoints endpoints)
    {
        var arguments = QemuArguments.For(machine, endpoints);
        var lines = string.Concat(arguments.Select((argument, i) => i == 0 ? argument : argument.StartsWith('-') ? "\n" + argument : " " + argument)) + "\n";
        RepositoryFile.MustEqual($"tests/Crust.Tests/Golden/qemu/{name}.txt", lines);
    }
}
