using System.Collections.Immutable;
using Crust.Machines;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>Does steps to a root.</summary>
internal interface IRootSteps
{
    /// <summary>Gives the root after the steps. The tree reads from the scratch folder as long as it is used.</summary>
    /// <param name="machine">What the commands' machine is like.</param>
    /// <exception cref="CrustException">A step failed, or no machine can be had.</exception>
    Task<FileTree> RunAsync(FileTree root, ImmutableArray<RootStep> steps, MachineSpec machine, string scratch, CancellationToken cancellation);
}

/// <summary>Does steps to a root in a machine of the root's architecture.</summary>
/// <param name="probe">Says what runs it.</param>
internal sealed class RootSteps(AcceleratorProbe probe, RootCommand roots, IBuildObserver observer) : IRootSteps
{
    public async Task<FileTree> RunAsync(FileTree root, ImmutableArray<RootStep> steps, MachineSpec machine, string scratch, CancellationToken cancellation)
    {
        var accelerator = await probe.ChooseAsync(machine.Accelerator, machine.Arch, cancellation);
        if (accelerator.FullWarning is { } warning)
        {
            observer.Observe(new BuildEvent.Warned(warning));
        }

        return await roots.RunAsync(root, steps, machine, accelerator.Used, scratch, cancellation);
    }
}
