using System.Collections.Immutable;
using Crust.Machines;
using Crust.Spec;

namespace Crust.Appliance;

/// <summary>The machine in which the appliance works on disks: nothing but the disks, no network, and a kernel that QEMU loads itself.</summary>
internal static class ApplianceMachine
{
    /// <summary>What `builder/appliance/init` is to do in a machine that is saved.</summary>
    internal const string Save = "save";

    private const string Boot = "boot";
    private const long Memory = 1L << 30;

    /// <summary>One that boots and does a job.</summary>
    public static MachineDescription ToBoot(ApplianceImage appliance, Accelerator accelerator, Drive.Disk disk) => Of(appliance, accelerator, Boot) with { Drives = [disk] };

    /// <summary>One that boots and is saved.</summary>
    public static MachineDescription ToSave(ApplianceImage appliance, Accelerator accelerator) => Of(appliance, accelerator, Save) with { HotPlug = true };

    /// <summary>One that was saved and does a job.</summary>
    public static MachineDescription ToRestore(ApplianceImage appliance, Accelerator accelerator, Drive.Disk disk, SavedMachine saved) =>
        ToSave(appliance, accelerator) with { Drives = [disk], Restored = saved };

    /// <summary>The command line of its kernel.</summary>
    internal static ImmutableArray<string> KernelArguments(ApplianceImage appliance, string host) =>
    [
        $"crust.host={host}",
        // Pages of zeros aren't saved: without it the state is a third larger.
        .. host == Save ? new[] { "init_on_free=1" } : [],
        .. appliance.SerialConsoles,
        .. appliance.KernelArguments,
    ];

    private static MachineDescription Of(ApplianceImage appliance, Accelerator accelerator, string host) => new()
    {
        Name = "appliance",
        Arch = appliance.Arch,
        Accelerator = accelerator,
        Memory = Memory,
        Network = MachineNetwork.None,
        Drives = [],
        DirectBoot = new DirectBoot(appliance.Kernel, appliance.Initramfs, KernelArguments(appliance, host)),
    };
}
