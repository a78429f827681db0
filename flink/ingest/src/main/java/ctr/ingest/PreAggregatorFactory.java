package ctr.ingest;

import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.runtime.operators.coordination.OperatorEventDispatcher;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.CoordinatedOperatorFactory;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.types.Row;

/** Ties every {@link PreAggregator} subtask to the one {@link WatermarkCoordinator} of the job. */
final class PreAggregatorFactory extends AbstractStreamOperatorFactory<Row>
        implements OneInputStreamOperatorFactory<Event, Row>, CoordinatedOperatorFactory<Row> {

    private static final long serialVersionUID = 1L;

    private final IngestSettings settings;

    PreAggregatorFactory(IngestSettings settings) {
        this.settings = settings;
        setChainingStrategy(ChainingStrategy.ALWAYS);
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T extends StreamOperator<Row>> T createStreamOperator(StreamOperatorParameters<Row> parameters) {
        OperatorEventDispatcher events = parameters.getOperatorEventDispatcher();
        OperatorID id = parameters.getStreamConfig().getOperatorID();
        PreAggregator operator = new PreAggregator(parameters, settings, events.getOperatorEventGateway(id));
        events.registerEventHandler(id, operator);
        return (T) operator;
    }

    @Override
    public OperatorCoordinator.Provider getCoordinatorProvider(String operatorName, OperatorID operatorId) {
        return new WatermarkCoordinator.Provider(operatorId, settings);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
        return PreAggregator.class;
    }
}
