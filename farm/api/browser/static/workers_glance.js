import { follow } from "./follow.js";

follow("/workers/glance", 5000);
