// Most fixtures wait more than they compute: for registries, daemons and machines that are played. Those whose subject belongs to the whole process run alone.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(4)]
