using System.Collections.Immutable;
using Crust.Layers;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Tests.Providers;

/// <summary>Poses as the machine that does steps to roots.</summary>
internal sealed class FakeSteps : IRootSteps
{
    /// <summary>What it makes of a root.</summary>
    public Func<FileTree, Arch, FileTree> Change { get; set; } = (root, _) => root;

    /// <summary>The architectures of the machines that were asked for.</summary>
    public List<Arch> Machines { get; } = [];

    public Task<FileTree> RunAsync(FileTree root, ImmutableArray<RootStep> steps, MachineSpec machine, string scratch, CancellationToken cancellation)
    {
        Machines.Add(machine.Arch);
        return Task.FromResult(Change(root, machine.Arch));
    }
}
