namespace Crust.Host;

/// <summary>What an image has to do before it gets its name.</summary>
internal sealed class ProofCheck : IHostCheck
{
    public Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation) => Task.FromResult<IReadOnlyList<Finding>>(question.Forecast.Verifies
        ? [new Finding("images", "proof", Gravity.Fine, $"Each image is booted, and has to show {question.Spec.Verify.Describe()}")]
        : []);
}
