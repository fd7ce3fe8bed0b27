using System.Collections.Immutable;
using Crust.Disks;
using Crust.Formats;
using Crust.Machines;
using Crust.Planning;
using Crust.Spec;

namespace Crust.Host;

/// <summary>What this host will do for a build.</summary>
/// <param name="Warnings">What the user should know, each with what mends it.</param>
internal sealed record HostReadiness(AcceleratorChoice Accelerator, ImmutableArray<string> Warnings)
{
    /// <summary>The same in a few words; where the choice is worth a warning, that tells why.</summary>
    public string Describe() => Accelerator.Warning is null ? $"{Accelerator.Used.LowerName()}: {Accelerator.Reason}" : Accelerator.Used.LowerName();
}

/// <summary>Finds out, before anything dear is done, whether a spec can be built on this host.</summary>
internal sealed class Preflight(HostChecks checks, Forecaster forecaster)
{
    /// <summary>Checks all that a build needs of this host, and chooses the accelerator.</summary>
    /// <exception cref="CrustException">Something is missing; its message names all that is, and what mends it. Or the spec can't be built anywhere.</exception>
    public async Task<HostReadiness> CheckAsync(BuildSpec spec, CancellationToken cancellation)
    {
        var found = await checks.RunAsync(new HostQuestion(spec, forecaster.Of(spec), Thoroughly: false), cancellation);
        var certain = found.Problems.Where(problem => !problem.IsEstimate).ToList();
        if (certain.Count > 0)
        {
            // How much space there is where nothing can be written helps nobody.
            throw ErrorOf([.. certain, .. found.Problems.Where(problem => problem.IsEstimate && certain.All(other => other.Where != problem.Where))]);
        }

        return new HostReadiness(found.Accelerator!, [.. found.Warnings.Concat(found.Problems).Select(finding => finding.ToWarning())]);
    }

    /// <summary>Checks, once the installer or the base image is there and its disk isn't, that the file systems have room for the disk and its images.</summary>
    /// <param name="seedSize">About the size of the seed while the installer runs, in bytes.</param>
    /// <exception cref="CrustException">They haven't.</exception>
    public void CheckSpace(BuildSpec spec, DiskOrigin origin, long seedSize, IEnumerable<IImageFormat> toWrite)
    {
        var forecast = new BuildForecast { Name = origin.BaseName, SourceSize = origin.Size, SourceData = origin.Data, SeedSize = seedSize, IsCacheKnown = true, ToWrite = [.. toWrite] };
        if (checks.Space.Find(forecast, spec).Where(finding => finding.Gravity is Gravity.Problem).ToImmutableArray() is { IsEmpty: false } problems)
        {
            throw ErrorOf(problems);
        }
    }

    // All at once: nobody wants to mend one thing after the other, with a build between each.
    private static CrustException ErrorOf(ImmutableArray<Finding> problems)
    {
        if (problems is [var single])
        {
            return single.ToError();
        }

        var install = Diagnosis.InstallCommand(problems);
        var rest = problems.Where(problem => problem.Packages.IsEmpty).ToList();
        return new CrustException(FailureKind.HostLacks, $"{problems.Length} things keep this host from building it", string.Join(", ", problems.Select(problem => problem.Name)),
            install is null ? "mend each, as said below" : rest.Count == 0 ? $"install what is missing: {install}" : $"install what is missing: {install}; and mend the others, as said below")
        {
            Detail = string.Join('\n', problems.SelectMany(problem => new[] { problem.What, $"  where: {problem.Where ?? problem.Name}", $"  to do: {problem.Remedy}" })),
        };
    }
}
