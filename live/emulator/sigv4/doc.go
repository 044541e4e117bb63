// Package sigv4 verifies AWS Signature Version 4 on the side of a service: it
// takes a request as it came over the wire and says who signed it, or why it
// must be refused. It shares no code with any client.
//
// Source: AWS IAM User Guide, "AWS Signature Version 4 for API requests". Paths
// are encoded once more than on the wire, as for every service but S3, and
// segments "." and ".." are taken as they are.
package sigv4
