using Crust.Machines;
using Crust.Spec;

namespace Crust.Host;

/// <summary>Whether the firmware that the machine starts with is installed.</summary>
internal sealed class FirmwareCheck(FirmwareFinder finder) : IHostCheck
{
    public Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<Finding>>([Find(question.Spec.Machine)]);

    private Finding Find(MachineSpec machine)
    {
        if (machine.Firmware is Firmware.Bios)
        {
            return new Finding("host", "firmware", Gravity.Fine, "bios: SeaBIOS, which comes with QEMU");
        }

        try
        {
            return new Finding("host", "firmware", Gravity.Fine, machine.Firmware.LowerName()) { Where = finder.FindUefi(machine.Arch, secureBoot: machine.Firmware is Firmware.UefiSecure).Code };
        }
        catch (CrustException e) when (e.Kind is FailureKind.HostLacks)
        {
            return Finding.Missing("host", "firmware", Gravity.Problem, e.What, e.Where, FirmwareFinder.PackageFor(machine.Arch));
        }
    }
}
