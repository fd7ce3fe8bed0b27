using Crust.Machines;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Host;

/// <summary>What runs the guest's instructions, and why it isn't KVM where it isn't.</summary>
internal sealed class KvmCheck(AcceleratorProbe probe)
{
    /// <summary>The finding, and the choice; null where nothing can run a guest as it is demanded.</summary>
    public async Task<(Finding Finding, AcceleratorChoice? Choice)> FindAsync(MachineSpec machine, CancellationToken cancellation)
    {
        try
        {
            var choice = await probe.ChooseAsync(machine.Accelerator, machine.Arch, cancellation);
            return (Describe(choice), choice);
        }
        catch (ToolMissingException e)
        {
            return (new Finding("host", "kvm", Gravity.Note, $"Whether KVM works can't be determined without {e.Program}"), null);
        }
        catch (CrustException e) when (e.Kind is FailureKind.HostLacks && machine.Accelerator is Accelerator.Auto)
        {
            // The probe has no folder to work in, which is no fault of KVM's; the folder itself is looked at elsewhere.
            return (new Finding("host", "kvm", Gravity.Warning, $"Whether KVM works can't be determined: {e.What}") { Where = e.Where, Remedy = e.Remedy },
                new AcceleratorChoice(Accelerator.Tcg, e.What, null));
        }
        catch (CrustException e) when (e.Kind is FailureKind.HostLacks)
        {
            return (new Finding("host", "kvm", Gravity.Problem, e.What) { Where = e.Where, Remedy = e.Remedy }, null);
        }
    }

    private static Finding Describe(AcceleratorChoice choice) => choice switch
    {
        { Used: Accelerator.Kvm } => new Finding("host", "kvm", Gravity.Fine, $"works: {choice.Reason}"),
        { Warning: null } => new Finding("host", "kvm", Gravity.Note, $"isn't used: {choice.Reason}"),
        _ => new Finding("host", "kvm", Gravity.Warning, choice.Warning) { Where = "/dev/kvm", Remedy = choice.Remedy },
    };
}
