package prove

import (
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/yaml"

	"eevee/experiments/sweep"
)

// awkward is a job whose every text needs quoting.
var awkward = sweep.Job{
	Name: "eevee-sweep", Program: "/opt/it's here/eevee", Grid: `/grids/a "b" $(c).yaml`, Folder: "/mnt/it's shared/sweep",
	Tasks: 8, Cores: 2, MemoryMB: 2000, Hours: 4, Image: "registry.example/eevee:1", Volume: "claim-1",
}

// The manifest is read strictly into the types of the Kubernetes API: an
// unknown field, or one of another type, is an error.
func TestKubernetesManifest(t *testing.T) {
	files, err := sweep.JobFiles("kubernetes", awkward)
	if err != nil {
		t.Fatal(err)
	}
	var job batchv1.Job
	if err := yaml.UnmarshalStrict(files[0].Text, &job); err != nil {
		t.Fatal(err)
	}
	if job.APIVersion != batchv1.SchemeGroupVersion.String() || job.Kind != "Job" || job.Name != awkward.Name {
		t.Errorf("is a %s %s called %s", job.APIVersion, job.Kind, job.Name)
	}
	s := job.Spec
	if *s.CompletionMode != batchv1.IndexedCompletion || *s.Completions != 8 || *s.Parallelism != 8 || *s.BackoffLimitPerIndex < 1 || *s.ActiveDeadlineSeconds != 4*3600 {
		t.Errorf("spec %+v", s)
	}
	pod := s.Template.Spec
	// With a limit per index the pods must not be restarted by the kubelet
	// (API reference, JobSpec.backoffLimitPerIndex).
	if pod.RestartPolicy != "Never" || len(pod.Containers) != 1 || len(pod.Volumes) != 1 {
		t.Fatalf("pod %+v", pod)
	}
	c := pod.Containers[0]
	want := []string{awkward.Program, "sweep", awkward.Grid, "-o", awkward.Folder, "--shards", "8"}
	if got := slices.Concat(c.Command, c.Args); !slices.Equal(got, want) {
		t.Errorf("runs %q, want %q", got, want)
	}
	if c.Resources.Requests.Cpu().Value() != 2 || c.Resources.Limits.Memory().Value() != 2000<<20 {
		t.Errorf("resources %v", c.Resources)
	}
	if len(c.VolumeMounts) != 1 || c.VolumeMounts[0].Name != pod.Volumes[0].Name || !strings.HasPrefix(awkward.Folder, c.VolumeMounts[0].MountPath+"/") ||
		pod.Volumes[0].PersistentVolumeClaim.ClaimName != awkward.Volume {
		t.Errorf("the folder is not on the volume: %+v, %+v", c.VolumeMounts, pod.Volumes)
	}
}
