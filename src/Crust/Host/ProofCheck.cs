using Crust.Spec;

namespace Crust.Host;

/// <summary>What an image has to do before it gets its name.</summary>
internal sealed class ProofCheck : IHostCheck
{
    public Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation) => Task.FromResult<IReadOnlyList<Finding>>(question.Forecast.Proof is { Verify: var verify }
        ? [new Finding("images", "proof", Gravity.Fine,
            $"One image is booted, and has to show {verify.Describe()} within {Duration.Format(verify.Deadline)}{(verify.Boot is VerifyBoot.Auto ? "; if it doesn't, it is reported as unproven" : "")}; the others are compared with it")]
        : []);
}
