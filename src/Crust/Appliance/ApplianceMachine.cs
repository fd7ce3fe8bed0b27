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
    private const int SavedCpus = 2;

    /// <summary>One that boots and does a job.</summary>
    /// <param name="like">What its processors, its memory and its network are like; null for the appliance's own, which has no network.</param>
    public static MachineDescription ToBoot(ApplianceImage appliance, Accelerator accelerator, ImmutableArray<Drive> drives, MachineSpec? like = null) =>
        Of(appliance, accelerator, Boot) with { Drives = drives } is var machine && like is null ? machine
            : machine with { Cpus = like.Cpus, Memory = Math.Max(Memory, like.Memory), Network = like.Network, NetworkAllow = like.NetworkAllow };

    /// <summary>One that boots and is saved.</summary>
    public static MachineDescription ToSave(ApplianceImage appliance, Accelerator accelerator) => Of(appliance, accelerator, Save) with { HotPlug = true };

    /// <summary>Whether one that was saved is as good: it has what is asked for, and no network, which a saved machine can't get any more.</summary>
    public static bool IsSavedLike(MachineSpec like) => like is { Cpus: SavedCpus, Memory: <= Memory, Network: MachineNetwork.None };

    /// <summary>One that was saved and does a job.</summary>
    public static MachineDescription ToRestore(ApplianceImage appliance, Accelerator accelerator, ImmutableArray<Drive> drives, SavedMachine saved) =>
        ToSave(appliance, accelerator) with { Drives = drives, Restored = saved };

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
        Cpus = SavedCpus,
        Memory = Memory,
        Network = MachineNetwork.None,
        Drives = [],
        DirectBoot = new DirectBoot(appliance.Kernel, appliance.Initramfs, KernelArguments(appliance, host)),
    };
}
