// Each machine keeps about one core busy under TCG; CI's hosts have two. What says nothing else runs beside the others; what is marked NonParallelizable, alone at the end.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(2)]
