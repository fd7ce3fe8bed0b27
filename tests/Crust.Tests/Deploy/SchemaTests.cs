namespace Crust.Tests.Deploy;

/// <summary>All of `deploy/` against the schemas that Kubernetes, Flux, Argo CD, GitHub and GitLab publish; and what these would refuse.</summary>
[CancelAfter(300_000)]
public sealed class SchemaTests
{
    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task All_that_is_rendered_and_all_workflows_are_as_their_schemas_say()
    {
        var documents = new List<DeployDocument>
        {
            new("kubernetes", DeployFiles.ArgoCd, DeployFiles.Read(DeployFiles.ArgoCd)),
            new("kubernetes", "secrets.yaml.example", DeployFiles.Read("kubernetes/overlays/example/secrets.yaml.example")),
            new("github", DeployFiles.GitHub, DeployFiles.Read(DeployFiles.GitHub)),
            new("gitlab", DeployFiles.GitLab, DeployFiles.Read(DeployFiles.GitLab)),
            new("github", DeployFiles.GitHubExtensions, DeployFiles.Read(DeployFiles.GitHubExtensions)),
            new("github", DeployFiles.GitHubUpdate, DeployFiles.Read(DeployFiles.GitHubUpdate)),
            new("github", DeployFiles.GitHubRelease, DeployFiles.Read(DeployFiles.GitHubRelease)),
            new("gitlab", DeployFiles.GitLabExtensions, DeployFiles.Read(DeployFiles.GitLabExtensions)),
        };
        foreach (var folder in DeployFiles.Kustomizations)
        {
            documents.Add(new("kubernetes", folder, await DeployFiles.RenderAsync(folder, Cancellation)));
        }

        var errors = await PublishedSchemas.CheckAsync(documents, Cancellation);

        Assert.That(documents.Zip(errors).SelectMany(pair => pair.Second.Select(error => $"{pair.First.Name}: {error}")), Is.Empty);
    }

    // An unknown field, a wrong type, a field that must be there: of each kind of file.
    [Test]
    public async Task A_field_that_is_unknown_of_another_type_or_missing_is_refused()
    {
        var job = await DeployFiles.RenderAsync("kubernetes/base", Cancellation);
        var flux = await DeployFiles.RenderAsync("flux", Cancellation);
        var argo = DeployFiles.Read(DeployFiles.ArgoCd);
        var github = DeployFiles.Read(DeployFiles.GitHub);
        var gitlab = DeployFiles.Read(DeployFiles.GitLab);
        (string Kind, string Good, string From, string To, string Expected)[] changes =
        [
            ("kubernetes", job, "completions:", "completionz:", "Job crust-images: unknown field /spec/completionz"),
            ("kubernetes", job, "readOnlyRootFilesystem:", "readOnlyRoot:", "unknown field /spec/template/spec/containers/0/securityContext/readOnlyRoot"),
            ("kubernetes", job, "completions: 1", "completions: one", "/spec/completions must be integer"),
            ("kubernetes", job, "status: \"True\"", "reason: x", "must have required property status"),
            ("kubernetes", job, "policyTypes:", "policies:", "NetworkPolicy crust-images: unknown field /spec/policies"),
            ("kubernetes", job, "apiVersion: batch/v1", "apiVersion: batch/v3", "no published schema of batch/v3 Job"),
            ("kubernetes", flux, "prune: true", "prune: 7", "/spec/prune must be boolean"),
            ("kubernetes", flux, "wait:", "waits:", "Kustomization edge-images: unknown field /spec/waits"),
            ("kubernetes", flux, "interval: 1m", "interval: often", "/spec/interval must match pattern"),
            ("kubernetes", flux, "url:", "uri:", "must have required property url"),
            ("kubernetes", argo, "selfHeal:", "heal:", "Application edge-images: unknown field /spec/syncPolicy/automated/heal"),
            ("kubernetes", argo, "prune: true", "prune: maybe", "/prune must be boolean"),
            ("kubernetes", argo, "  project: default\n", "", "must have required property project"),
            ("github", github, "needs: plan", "need: plan", "Unexpected value 'need'"),
            ("github", github, "timeout-minutes: 15", "timeout-minutes: x", "Unexpected value 'x'"),
            ("github", github, "    runs-on: ubuntu-24.04\n    timeout-minutes: 15\n", "", "Required property is missing: runs-on"),
            ("github", github, "needs.plan.outputs", "need.plan.outputs", "Unrecognized named-value: 'need'"),
            ("github", github, "fromJSON(", "fromJSN(", "Unrecognized function: 'fromJSN'"),
            ("gitlab", gitlab, "  stage: plan\n", "  stag: plan\n", "must NOT have additional properties"),
            ("gitlab", gitlab, "stages: [plan, build]", "stages: plan", "/stages must be array"),
            ("gitlab", gitlab, "        job: edge-images-plan\n", "", "must have required property"),
        ];
        Assert.That(changes.Where(change => !change.Good.Contains(change.From, StringComparison.Ordinal)).Select(change => change.From), Is.Empty, "what is changed is there");

        var errors = await PublishedSchemas.CheckAsync([.. changes.Select(change => new DeployDocument(change.Kind, "changed", change.Good.Replace(change.From, change.To, StringComparison.Ordinal)))], Cancellation);

        foreach (var (change, told) in changes.Zip(errors))
        {
            Assert.That(string.Join("\n", told), Does.Contain(change.Expected), $"{change.From} → {change.To}");
        }
    }
}
