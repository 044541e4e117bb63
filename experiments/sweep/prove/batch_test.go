package prove

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/batch"

	"eevee/experiments/sweep"
)

// The files for AWS Batch are read strictly into the SDK's inputs of
// RegisterJobDefinition and SubmitJob: an unknown field, or one of another
// type, is an error.
func TestBatchFiles(t *testing.T) {
	job := awkward
	job.Volume, job.Queue = "fs-1", "queue-1"
	files, err := sweep.JobFiles("batch", job)
	if err != nil {
		t.Fatal(err)
	}
	var definition batch.RegisterJobDefinitionInput
	var submit batch.SubmitJobInput
	for i, to := range []any{&definition, &submit} {
		d := json.NewDecoder(bytes.NewReader(files[i].Text))
		d.DisallowUnknownFields()
		if err := d.Decode(to); err != nil {
			t.Fatalf("%s: %v", files[i].Name, err)
		}
	}
	c := definition.ContainerProperties
	want := []string{job.Program, "sweep", job.Grid, "-o", job.Folder, "--shards", "8"}
	if !slices.Equal(c.Command, want) {
		t.Errorf("runs %q, want %q", c.Command, want)
	}
	if !slices.Contains(definition.Type.Values(), definition.Type) {
		t.Errorf("type %q is none of %v", definition.Type, definition.Type.Values())
	}
	for _, r := range c.ResourceRequirements {
		if !slices.Contains(r.Type.Values(), r.Type) {
			t.Errorf("resource %q is none of %v", r.Type, r.Type.Values())
		}
	}
	if len(c.Volumes) != 1 || *c.Volumes[0].EfsVolumeConfiguration.FileSystemId != "fs-1" || *c.MountPoints[0].SourceVolume != *c.Volumes[0].Name {
		t.Errorf("volumes %+v, mounts %+v", c.Volumes, c.MountPoints)
	}
	if *submit.JobDefinition != *definition.JobDefinitionName || *submit.JobQueue != "queue-1" || *submit.ArrayProperties.Size != 8 {
		t.Errorf("submits %+v", submit)
	}
}
